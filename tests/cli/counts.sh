# The known counts of the full shapes, from types alone.
# Released only: full shapes, whose passes other tests run on small ones.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
counts() {  # counts "ARGS" LINE…
  # shellcheck disable=SC2086
  "$LMC" compile $1 --weights none --emit=opt >/dev/null 2>err.txt || fail "$1: $(tail -n 1 err.txt)"
  shift
  for line in "$@"; do expect_in err.txt "$line"; done
}
counts "$ROOT/models/gemma3.yaml" "fused 26 QKV triples" "fused 26 gate+up pairs" "quantized 183 of 183 projections to Q8_0"
counts "$ROOT/models/gpt2.yaml" "fused 12 QKV triples" "fused 0 gate+up pairs" "quantized 73 of 73 projections to Q8_0"
counts "$ROOT/models/gpt2.yaml --quant-min-dim 1024" "quantized 25 of 73 projections to Q8_0"
counts "$ROOT/models/gpt2.yaml --set fuse-qkv.biased=skip" "fused 0 QKV triples" "quantized 73 of 73 projections to Q8_0"
counts "$ROOT/models/gpt2.yaml --quant-min-dim 1024 --set fuse-qkv.biased=skip" "quantized 25 of 73 projections to Q8_0"
counts "$ROOT/models/gpt2.yaml --quant=none" "quantized 0 of 73 projections"
counts "$ROOT/models/gemma3.yaml --size 27b" "fused 62 QKV triples"
finish
