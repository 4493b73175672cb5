# --kv q8_0: half the memory of f16, the same text however it is run, and nearly the same predictions.
# Released only: whole texts are predicted by emitted kernels.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
field() { sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" "$1"; }
for kv in f16 q8_0; do
  for m in gemma3 gpt2; do
    expect_ok "$LMC" compile "$ROOT/models/tiny/$m.yaml" --kv $kv -o $m-$kv.lmc
    expect_in err.txt "x $kv"
  done
done
python3 - <<'PY' || fail "bytes of the caches"
import json
for m in ("gemma3", "gpt2"):
    f16, q8 = (json.load(open(f"{m}-{kv}.lmc/plan.json"))["caches"] for kv in ("f16", "q8_0"))
    assert {c["dtype"] for c in f16} == {"kv_f16"} and {c["dtype"] for c in q8} == {"kv_q8_0"}
    ratio = sum(c["bytes"] for c in q8) / sum(c["bytes"] for c in f16)
    print(m, "caches in q8_0 take", ratio, "of those in f16")
    assert ratio <= 0.55
PY
ids=$(seq -s, 2 200)
run() { "$LMC" run gemma3-q8_0.lmc --ids "$ids" -n 24 --json "$@" 2>err.txt </dev/null || fail "$*: $(cat err.txt)"; }
run >alone.json
for how in "--threads 1" "--threads 2 --block 7" "--block 1" "--speculate lookup" "--prompt-cache prompt.kv" "--prompt-cache prompt.kv --block 1"; do
  run $how >got.json
  sed -i 's/,"cached_tokens":[0-9]*//' got.json
  cmp -s alone.json got.json || fail "$how gives $(head -c 200 got.json)"
done
expect_in err.txt "198 of 199 prompt tokens from"
# A prompt stored by a bundle with other caches is of another bundle.
expect_error 1 "prompt.kv: is of another bundle" "$LMC" run gemma3-f16.lmc --ids "$ids" --prompt-cache prompt.kv -n 2
for m in gemma3 gpt2; do
  for kv in f16 q8_0; do
    "$LMC" eval $m-$kv.lmc --text "$ROOT/models/tiny/valid.txt" --json >$kv.json 2>err.txt || fail "eval $m: $(cat err.txt)"
  done
  echo "$m perplexity f16 $(field f16.json perplexity) q8_0 $(field q8_0.json perplexity)"
  awk -v a="$(field q8_0.json perplexity)" -v b="$(field f16.json perplexity)" 'BEGIN { r = a / b; exit !(r < 1.005 && r > 0.995) }' ||
    fail "$m: int8 caches change perplexity: $(cat f16.json q8_0.json)"
done
expect_error 2 "--kv: q4_0 not in {f16,f32,q8_0}" "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" --kv q4_0
expect_error 1 "kv-format.format must be f16, f32 or q8_0, found 'q4_0'" \
  "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" --set kv-format.format=q4_0
finish
