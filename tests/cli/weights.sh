# Weights when compiling: arithmetic on them, views of views of them, and numbers that are none.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
TINY=$ROOT/models/tiny/gemma3.yaml
E=$ROOT/passes/examples

tokens_of() { "$LMC" run "$1" --prompt "ROMEO:" --max-tokens 24 --temperature 0 2>>err.txt || fail "run $1"; }

# Norm weights and the embedding's factor are multiplied into weights, and nothing is said otherwise.
expect_ok "$LMC" compile "$TINY" --quant none -o plain.lmc
expect_ok "$LMC" compile "$TINY" --quant none --pass "$E/fold_norm.lmpass" --pass "$E/fold_embedding_scale.lmpass" \
  --check -o folded.lmc
expect_in err.txt "folded 1 embedding scales"
grep -qE "folded [1-9][0-9]* norm weights" err.txt || fail "no norm was folded: $(cat err.txt)"
tokens_of plain.lmc >plain.txt
tokens_of folded.lmc >folded.txt
cmp -s plain.txt folded.txt || fail "folded weights say '$(cat folded.txt)' instead of '$(cat plain.txt)'"
expect_ok "$LMC" compile "$TINY" --quant q8_0 --pass "$E/fold_norm.lmpass" -o folded_q8.lmc
[ -s folded_q8.lmc/weights.safetensors ] || fail "nothing packed"

# What cannot be computed on weights is refused by name.
cat >refused.lmpass <<'P'
pass refused "a norm of weights"
after fuse-qkv
before quantize
approximate
match {
  %n = rms_norm(%x, %g) {eps=$e, offset=$o}
  %y = linear(%n, %w) {role=$r}
}
rewrite {
  %m = rms_norm(%x, %g) {eps=$e, offset=$o}
  %y = linear(%m, rms_norm(cast(%w), %g) {eps=$e}) {role=$r}
}
P
expect_error 1 "rms_norm cannot be computed on weights when compiling" \
  "$LMC" compile "$TINY" --quant none --pass refused.lmpass -o refused.lmc

# Three nested views of a weight kept the compiler busy for 40 minutes.
cat >views.lmpass <<'P'
pass views "turn, cut and join a weight again and again"
before quantize
approximate
match {
  %y = linear(%x, %w) {role=ffn_down}
}
rewrite {
  %t1 = transpose(%w)
  %c1 = concat(slice(%t1) {start=1, size=cols(%w)-1}, slice(%t1) {start=0, size=1})
  %t2 = transpose(%c1)
  %c2 = concat(slice(%t2) {start=1, size=rows(%w)-1}, slice(%t2) {start=0, size=1})
  %t3 = transpose(%c2)
  %c3 = concat(slice(%t3) {start=1, size=cols(%w)-1}, slice(%t3) {start=0, size=1})
  %y = linear(%x, transpose(%c3)) {role=ffn_down}
}
P
expect_ok timeout 60 "$LMC" compile "$TINY" --pass views.lmpass -o views.lmc

# A checkpoint with a number that is none is refused by tensor and element, or packed on request.
cp -r "$ROOT/models/tiny/gemma3" broken
python3 - <<'P'
import json, struct
path = "broken/model.safetensors"
data = bytearray(open(path, "rb").read())
n = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + n])
name = "model.layers.0.mlp.down_proj.weight"
t = header[name]
size = {"BF16": 2, "F16": 2, "F32": 4}[t["dtype"]]
nan = {"BF16": b"\xc0\x7f", "F16": b"\x00\x7e", "F32": b"\x00\x00\xc0\x7f"}[t["dtype"]]
at = 8 + n + t["data_offsets"][0] + 70 * size
data[at:at + size] = nan
open(path, "wb").write(data)
P
for format in none q8_0 q4_k; do
  expect_error 1 "down_proj.weight', element 70 (row" "$LMC" compile "$TINY" --weights broken --quant $format \
    --quant-min-dim 0 -o broken.lmc
  expect_in err.txt "--allow-nan"
  [ -e broken.lmc ] && fail "a bundle of $format is there"
done
expect_ok "$LMC" compile "$TINY" --weights broken --quant q8_0 --quant-min-dim 0 --allow-nan -o broken.lmc
expect_in err.txt "32 weights are NaN or infinite"
expect_in err.txt "Q8_0 weights: SQNR"
finish
