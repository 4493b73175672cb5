# What a run says of itself, level by level; none of it on standard output.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
expect_ok env LMC_LOG=debug "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc --quant-min-dim 1
expect_in err.txt "model.layers.3.self_attn.k_proj.weight"
expect_in err.txt "SQNR"
# Every source projection states its own error, also those that were fused.
[ "$(grep -c 'q8_0 .*SQNR' err.txt)" -eq 43 ] || fail "$(grep -c 'q8_0 .*SQNR' err.txt) of 43 projections state an SQNR"

run() { "$LMC" run tiny.lmc --ids 2,119,166 --max-tokens 3 --temperature 0 --json; }
LMC_LOG=info run >info.txt 2>info.err || fail "run at info"
for line in "6 layers, context 512" "80 tensors" "quantized 43 of 43" "fused 6 QKV triples" "KV cache" "warmed up" "3.12 M parameters" "tokenizer with 2048 tokens"; do
  expect_in info.err "$line"
done
LMC_LOG=debug run >debug.txt 2>debug.err || fail "run at debug"
expect_in debug.err "step 1: 3 tokens"
expect_in debug.err "step 3: 1 token ·"
[ "$(grep -c '^  layer 5: attention .* ffn ' debug.err)" -eq 3 ] || fail "no line per layer and step"
LMC_LOG=trace run >trace.txt 2>trace.err || fail "run at trace"
grep -qE 'linear ffn_gate_up \[1,128\]x\[2048,128\] q8_0 .*[0-9.]+ ms \([0-9.]+ GB/s, [0-9]+% of read peak\)' trace.err ||
  fail "no kernel line: $(tail -n 3 trace.err)"
cmp -s info.txt debug.txt && cmp -s info.txt trace.txt || fail "the log level changes standard output"
expect_error 1 "LMC_LOG=loud" env LMC_LOG=loud "$LMC" run tiny.lmc --ids 2 --max-tokens 1
finish
