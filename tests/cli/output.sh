# What cannot be written is noticed: every command with a full standard output, and with a closed one.
# Released only: other tests run the same commands under sanitizers.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
[ -w /dev/full ] || exit 77
TINY=$ROOT/models/tiny/gemma3.yaml
cp -r "$ROOT/models/tiny/gemma3" checkpoint
echo '{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}' >checkpoint/chat_template.jinja
expect_ok "$LMC" compile "$TINY" --weights checkpoint -o tiny.lmc
expect_ok "$LMC" compile "$TINY" --quant none -o exact.lmc
expect_ok "$LMC" compile "$TINY" --emit=import -o import.lmir
expect_ok "$LMC" compile "$TINY" --emit=opt -o opt.lmir
printf '#!/bin/sh\n! grep -q "role=attn_qkv" "$1"\n' >no_fused && chmod +x no_fused
echo hello >hello.txt

# check [silent] COMMAND…: it prints, or, silent, its result is a file.
tried=
check() {
  local silent=0 lines=hello.txt
  [ "$1" != silent ] || { silent=1; shift; }
  tried+=" $1 "
  for how in full closed; do
    if [ $how = full ]; then "$LMC" "$@" >/dev/full 2>err.txt <$lines; else "$LMC" "$@" >&- 2>err.txt <$lines; fi
    local code=$?
    [ $code -eq $((1 - silent)) ] || fail "exit code $code of $*, standard output $how: $(tail -n 1 err.txt)"
    [ $silent = 1 ] || [ "$(grep -c "cannot write to standard output" err.txt)" = 1 ] || fail "$*, $how: $(tail -n 2 err.txt)"
  done
}
check --version
check --help
check run tiny.lmc --ids 2,119 -n 3
check run tiny.lmc --ids 2,119 -n 3 --json
check run tiny.lmc --batch hello.txt -n 3
check chat tiny.lmc --max-tokens 3
check compile "$TINY" --emit=opt
check silent compile "$TINY" -o other.lmc
check silent export "$TINY" --gguf tiny.gguf
check silent explore tiny.lmc -o page.html
check price "$TINY" --ranks 1,2
check opt import.lmir
check opt import.lmir --print-ir-after=fuse-qkv -o other.lmir
check diff import.lmir opt.lmir
check inspect tiny.lmc
check eval tiny.lmc --ids 1,2,3
check eval tiny.lmc --text hello.txt
check eval --compare tiny.lmc exact.lmc --text hello.txt
check tokenize tiny.lmc -p "To be"
check detokenize tiny.lmc 1 2 3
check verify tiny.lmc
check test "$ROOT/tests/passes/canonicalise.lmir"
check passes
check list --json
tried+=" rm " # prints nothing: what it removed is on stderr
check ops
check machine
check manual
check completion bash
check bisect import.lmir --run ./no_fused
check reduce opt.lmir --run ./no_fused --timeout 1
tried+=" bench profile membw crossover pull " # measure for seconds, or need a hub, and print as the others do
tried+=" serve " # prints nothing: its log is on stderr
for command in $("$LMC" --help | sed -n '1,/^Subcommands/d; s/^  \([a-z]*\) .*/\1/p'); do
  [[ $tried == *" $command "* ]] || fail "no word about $command"
done

# A file that cannot grow: what was there before stays, and nothing else.
mkdir files && cd files || exit 1
limited() { # limited FILE ARGUMENTS…
  echo before >"$1"
  local file=$1
  shift
  (failures=0; ulimit -f 4; expect_error 1 "File too large" "$LMC" "$@"; exit $failures) || fail "$*: $(cat ../err.txt)"
  [ "$(cat "$file")" = before ] || fail "$*: $file holds $(head -c 100 "$file")"
  rm "$file" && rm -f out.txt err.txt
  [ -z "$(ls -A)" ] || fail "$* left $(ls -A)"
}
limited tiny.gguf export "$TINY" --gguf tiny.gguf
limited page.html explore ../tiny.lmc -o page.html
limited opt.lmir compile "$TINY" --emit=opt -o opt.lmir
limited opt.lmir opt ../import.lmir -o opt.lmir
cd .. || exit 1
(ulimit -f 0; "$LMC" run tiny.lmc --ids 2 -n 1 --perf 2>&1 >/dev/null) | grep -q "cannot write /tmp/perf-" || fail "a map for perf"

# A file is not opened as number 1 and printed into, whatever is closed.
"$LMC" compile "$TINY" -o third.lmc >&- 2>&- <&- || fail "without its streams: exit code $?"
expect_ok "$LMC" inspect third.lmc --verify
finish
