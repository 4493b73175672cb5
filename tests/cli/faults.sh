# Calls of the system and allocations that fail, and kill -9: tests/faults, a few of each kind.
# Released only: a library is preloaded, which AddressSanitizer wants to be itself.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
own_cache
export PYTHONDONTWRITEBYTECODE=1
python3 "$ROOT/tests/faults/run.py" "$LMC" "$ROOT" --most 3 >table.txt 2>&1 || fail "$(cat table.txt)"
python3 "$ROOT/tests/faults/memory.py" "$LMC" "$ROOT" --most 8 >table.txt 2>&1 || fail "$(cat table.txt)"
python3 "$ROOT/tests/faults/pull.py" "$LMC" "$ROOT" --most 2 >table.txt 2>&1 || fail "$(cat table.txt)"
python3 "$ROOT/tests/faults/kill.py" "$LMC" "$ROOT" 8 >table.txt 2>&1 || fail "$(cat table.txt)"

# Less and less memory, from where the loader finds room for the libraries: a message, never a signal.
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o small.lmc
within() { (ulimit -v $(($1 * 1000)) && exec "$LMC" "${@:2}") >out.txt 2>err.txt; } # MEGABYTES ARGUMENTS…
least=100
until within $least --version; do
  least=$((least + 8))
  [ $least -lt 1000 ] || break
done
for command in "compile $ROOT/models/tiny/gemma3.yaml -o small.lmc" "run small.lmc --ids 2 --max-tokens 3"; do
  refused=0
  for megabytes in $(seq $least 6 $((least + 60))); do
    # shellcheck disable=SC2086
    within "$megabytes" $command
    code=$?
    [[ $code =~ ^[01]$ ]] || fail "exit code $code of $command in $megabytes MB: $(tail -n 2 err.txt)"
    [ $code = 0 ] || grep -qE "^lmc: .*(out of memory|not enough memory|annot allocate memory|temporarily unavailable)" err.txt ||
      fail "$command in $megabytes MB: no message: $(tail -n 2 err.txt)"
    refused=$((refused + code))
  done
  [ $refused -gt 0 ] || fail "no limit was too low for $command"
done
[ -z "$(find . -maxdepth 1 -name '*.tmp*')" ] || fail "left behind: $(ls)"

# What a killed writer left beside its file goes a day later, and not before.
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o b.lmc
mkdir b.lmc.tmp-1 b.lmc.tmp-2 && touch b.lmc.tmp-1/part b.lmc.tmpl && touch -d '25 hours ago' b.lmc.tmp-1 b.lmc.tmpl
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o b.lmc
[ ! -e b.lmc.tmp-1 ] || fail "what a killed compile left is still there"
[ -e b.lmc.tmpl ] || fail "a file that nobody here made was removed"
[ -e b.lmc.tmp-2 ] || fail "a young temporary folder was removed"
finish
