# Formats of weights: rules for roles and tensors, what the ledger says of them, and a GGUF file's own blocks.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
TINY=$ROOT/models/tiny/gemma3.yaml

# formats BUNDLE: how many projections the ledger has of each format and rule.
formats() {
  python3 - "$1/report.json" <<'P' || fail "no ledger in $1"
import collections, json, sys
ledger = json.load(open(sys.argv[1]))["quantization"]
count = collections.Counter((e["format"], e["rule"] if "=" in e["rule"].replace(">=", "") else "", ) for e in ledger)
for (format, rule), n in sorted(count.items()):
    print(n, format, rule)
P
}
tokens_of() { "$LMC" run "$1" --prompt "ROMEO:" --max-tokens 24 --temperature 0 2>>err.txt || fail "run $1"; }

for format in q8_0 q6_k q5_k q5_0 q4_0 iq4_nl q4_k f16 bf16; do
  expect_ok "$LMC" compile "$TINY" --quant $format --quant-min-dim 0 -o $format.lmc
  tokens_of $format.lmc >$format.txt
  [ -s $format.txt ] || fail "$format says nothing"
done
cmp -s f16.txt bf16.txt || fail "f16 says '$(cat f16.txt)', bf16 '$(cat bf16.txt)'"
size() { stat -c %s "$1/weights.safetensors"; }
[ "$(size q4_0.lmc)" = "$(size iq4_nl.lmc)" ] || fail "iq4_nl is not as long as q4_0"
[ "$(size q4_0.lmc)" -lt "$(size q4_k.lmc)" ] && [ "$(size q4_k.lmc)" -lt "$(size q5_0.lmc)" ] &&
  [ "$(size q5_0.lmc)" -lt "$(size q5_k.lmc)" ] && [ "$(size q5_k.lmc)" -lt "$(size q6_k.lmc)" ] &&
  [ "$(size q6_k.lmc)" -lt "$(size q8_0.lmc)" ] &&
  [ "$(size q8_0.lmc)" -lt "$(size f16.lmc)" ] || fail "sizes are not in order"

# The first pattern that fits decides, by role or by tensor; what is fused takes the most precise.
expect_ok "$LMC" compile "$TINY" --quant-min-dim 0 -o rules.lmc \
  --quant 'q8_0,lm_head=none,*layers.0.mlp.gate_proj.weight=q4_0,ffn_*=q4_k'
expect_in err.txt "Q4_K ("
formats rules.lmc >got.txt
grep -q " q4_k ffn_\*=q4_k$" got.txt || fail "ffn is not q4_k: $(cat got.txt)"
grep -q " q4_k .*gate_proj.weight=q4_0, follows the most precise" got.txt || fail "gate is not with up: $(cat got.txt)"
grep -q "^1 .* lm_head=none$" got.txt || fail "lm_head is not kept: $(cat got.txt)"
tokens_of rules.lmc >rules.txt
[ -s rules.txt ] || fail "nothing said"
expect_ok "$LMC" eval rules.lmc --ids 1,2,3,4,5 --json

# The model file can say it too.
cat >mine.yaml <<Y
extends: $ROOT/models/gemma3.yaml
checkpoint: $ROOT/models/tiny/gemma3
quantize: {min_dim: 0, format: "q8_0,ffn_down=q4_0"}
Y
expect_ok "$LMC" compile mine.yaml -o mine.lmc
formats mine.lmc >got.txt
grep -q " q4_0 ffn_down=q4_0$" got.txt || fail "the model file's rule: $(cat got.txt)"

expect_error 2 "unknown format 'q5_1'" "$LMC" compile "$TINY" --quant q5_1 -o no.lmc
expect_error 2 "unknown format 'q9'" "$LMC" compile "$TINY" --quant q8_0,ffn_*=q9 -o no.lmc
expect_error 2 "is a second format" "$LMC" compile "$TINY" --quant q8_0,q4_0 -o no.lmc
expect_error 1 "'ffn_dwon=q4_k' fits no projection or table; roles here: " "$LMC" compile "$TINY" --quant q8_0,ffn_dwon=q4_k -o no.lmc
[ ! -e no.lmc ] || fail "a refused compile left a bundle"

# A GGUF file's blocks stay what they are: the numbers of both bundles are the same.
for format in q5_0 q4_0 iq4_nl; do
  rm -rf tiny.gguf stored.lmc
  expect_ok "$LMC" export "$TINY" --gguf tiny.gguf --type $format
  expect_ok "$LMC" compile "$TINY" --weights tiny.gguf -o stored.lmc
  formats stored.lmc >got.txt
  python3 - stored.lmc/report.json $format <<'P' || fail "not as stored"
import json, sys
ledger = json.load(open(sys.argv[1]))["quantization"]
assert ledger and all(e["format"] == sys.argv[2] and e["rule"] == "as stored" and "sqnr_db" not in e for e in ledger), ledger
P
  tokens_of stored.lmc >stored.txt
  cmp -s stored.txt $format.txt || fail "$format out of GGUF says '$(cat stored.txt)', of our own '$(cat $format.txt)'"
done
expect_ok "$LMC" compile "$TINY" --weights tiny.gguf --quant q8_0 -o again.lmc
finish
