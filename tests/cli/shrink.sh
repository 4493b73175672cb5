# A weights file that another process cuts short while it is in use: one message, exit code 1, no signal.
# Released only: AddressSanitizer handles SIGBUS itself; unit tests map and cut files there.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
for _ in $(seq 20000); do echo "ROMEO: and so on"; done >many.txt
cp tiny.lmc/weights.safetensors whole
for command in "bench tiny.lmc -p 64 -n 400 -r 200 -t 2" "run tiny.lmc --batch many.txt --max-tokens 60"; do
  # shellcheck disable=SC2086
  "$LMC" $command >out.txt 2>err.txt </dev/null &
  pid=$!
  sleep 3
  truncate -s 4096 tiny.lmc/weights.safetensors
  wait $pid
  code=$?
  [ $code -eq 1 ] || fail "exit code $code of $command: $(tail -n 2 err.txt)"
  tail -n 1 err.txt | grep -qF "tiny.lmc/weights.safetensors: became shorter while it was in use" || fail "no message: $(tail -n 2 err.txt)"
  cat whole >tiny.lmc/weights.safetensors
done
finish
