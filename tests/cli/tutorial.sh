# passes/README.md: every file and command of its tutorial, and every output, as they stand there.
# LMC_BLESS=1 writes the outputs into it.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
README=$ROOT/passes/README.md
export PATH=$(dirname "$LMC"):$PATH NO_COLOR=1
mkdir build && ln -s "$(dirname "$(dirname "$LMC")")" build/release

# The page again, with what the commands print now. A fence with a file's name behind its language makes that
# file; in a console fence, lines behind "$ " are commands, and the others their output.
mode=text commands=0
while IFS= read -r line; do
  case $mode in
    text)
      case $line in
        '```console') mode=console ;;
        '```'*' '*) file=${line#* } mode=file && mkdir -p "$(dirname "$file")" && : >"$file" ;;
        '```'*) mode=other ;;
      esac
      printf '%s\n' "$line" ;;
    console)
      case $line in
        '```') mode=text && printf '%s\n' "$line" ;;
        '$ '*)
          printf '%s\n' "$line"
          commands=$((commands + 1))
          bash -c "${line#??}" 2>&1 </dev/null ;;
      esac ;;
    *)
      [ "$line" = '```' ] && mode=text || { [ "$mode" = file ] && printf '%s\n' "$line" >>"$file"; }
      printf '%s\n' "$line" ;;
  esac
done <"$README" >now.md
[ "$commands" -ge 10 ] || fail "only $commands commands found"
cmp -s plugin/softcap.cpp "$ROOT/tests/plugin/softcap.cpp" || fail "the tutorial's plugin is not tests/plugin"
if [ -n "${LMC_BLESS:-}" ]; then
  cp now.md "$README"
elif ! diff "$README" now.md >diff.txt; then
  fail "passes/README.md says otherwise: $(cat diff.txt)"
fi
finish
