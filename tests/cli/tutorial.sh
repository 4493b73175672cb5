# passes/README.md: every file and command of its tutorial, and every output, as they stand there.
# LMC_BLESS=1 writes the outputs into it.
# Released only: the same commands run under sanitizers elsewhere.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
README=$ROOT/passes/README.md
export PATH=$(dirname "$LMC"):$PATH NO_COLOR=1
mkdir build && ln -s "$(dirname "$(dirname "$LMC")")" build/release

# The page again, with what the commands print now: in a console fence, lines behind "$ " are commands, and the
# others their output.
commands=0
on_line() {
  if [ "$1" != console ]; then
    printf '%s\n' "$2"
  elif [[ $2 = '$ '* ]]; then
    printf '%s\n' "$2"
    commands=$((commands + 1))
    bash -c "${2#??}" 2>&1 </dev/null
  fi
}
walk_page "$README" >now.md
[ "$commands" -ge 10 ] || fail "only $commands commands found"
cmp -s plugin/softcap.cpp "$ROOT/tests/plugin/softcap.cpp" || fail "the tutorial's plugin is not tests/plugin"
if [ -n "${LMC_BLESS:-}" ]; then
  cp now.md "$README"
elif ! diff "$README" now.md >diff.txt; then
  fail "passes/README.md says otherwise: $(cat diff.txt)"
fi
finish
