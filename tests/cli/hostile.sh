# Hostile input is refused within bounds of memory, time and text: tests/hostile.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
slow=1
grep -q 'LMC_SANITIZE:STRING=.' "$(dirname "$(dirname "$LMC")")/CMakeCache.txt" 2>/dev/null && slow=8
PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/tests/hostile/run.py" "$LMC" "$ROOT" --slow "$slow" >table.txt 2>&1 || fail "$(cat table.txt)"
finish
