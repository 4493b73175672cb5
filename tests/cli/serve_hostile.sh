# lmc serve and clients that mean no good: malformed requests and people who leave, tests/serve/hostile.py. Here 1,500 and 150 (under sanitizers 400 and 40);
# LMC_HOSTILE_REQUESTS=10000 LMC_HOSTILE_LEAVERS=1000 is the whole measure.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
. "$ROOT/tests/cli/serve.sh.inc"
model_with_template
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o chat.lmc
# A sanitizer keeps what is freed for a while.
if grep -q __asan_init "$LMC"; then
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}:quarantine_size_mb=1:thread_local_quarantine_size_kb=16
  export LMC_HOSTILE_GROWTH=10 LMC_HOSTILE_REQUESTS=${LMC_HOSTILE_REQUESTS:-400} LMC_HOSTILE_LEAVERS=${LMC_HOSTILE_LEAVERS:-40}
fi
serve chat.lmc --read-timeout 1 --max-body 1048576 --kv-memory 4M || finish
timeout 500 python3 "$ROOT/tests/serve/hostile.py" "$URL" $SERVER "${LMC_HOSTILE_REQUESTS:-1500}" "${LMC_HOSTILE_LEAVERS:-150}" >out.txt 2>err.txt ||
  fail "hostile.py: $(tail -n 12 err.txt) $(tail -n 3 server.log)"
cat out.txt
ends
grep -E 'ERROR|runtime error' server.log && fail "a sanitizer has found something"
finish
