# --quant auto: formats chosen within a budget for the KL divergence, as other tools of lmc see it too.
# Released only: the choice is made by measuring a dozen compilations.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
TINY=$ROOT/models/tiny/gemma3.yaml
TEXT=$ROOT/README.md

# kl BUNDLE [TEXT] [REFERENCE]: mean KL divergence from the model without quantisation, on a text that nothing was chosen with.
expect_ok "$LMC" compile "$TINY" --quant none -o none.lmc
kl() {
  "$LMC" eval --compare "${3:-none.lmc}" "$1" --text "${2:-$ROOT/tests/cli/tiny.sh}" --json 2>>err.txt |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["kl"]["mean"])' || fail "compare $1"
}
size() { stat -c %s "$1/weights.safetensors"; }

# The larger the budget, the fewer bytes and the more is lost.
for budget in 1e-5 0.001 0.1; do
  expect_ok "$LMC" compile "$TINY" --quant-min-dim 0 --quant auto --budget kl=$budget -o $budget.lmc
  expect_in err.txt "over 256 tokens, budget"
  kl $budget.lmc >>kl.txt
  size $budget.lmc >>size.txt
done
sort -g kl.txt | cmp -s - kl.txt || fail "divergences are not in order: $(cat kl.txt)"
sort -gr size.txt | cmp -s - size.txt || fail "sizes are not in order: $(cat size.txt)"
python3 - $(cat kl.txt) <<'P' || fail "far beyond their budgets: $(cat kl.txt)"
import sys
assert all(float(kl) < 10 * budget for kl, budget in zip(sys.argv[1:], (1e-5, 0.001, 0.1)))
P
formats_of() { python3 -c 'import json, sys; print(*sorted({e["format"] for e in json.load(open(sys.argv[1]))["quantization"]}))' "$1/report.json"; }
[ "$(formats_of 1e-5.lmc)" = "bf16 q8_0" ] || fail "1e-5: $(formats_of 1e-5.lmc)"
[ "$(formats_of 0.001.lmc)" = "q4_k q8_0" ] || fail "0.001: $(formats_of 0.001.lmc)"
[ "$(formats_of 0.1.lmc)" = "q4_k" ] || fail "0.1: $(formats_of 0.1.lmc)"

# The rules can be kept, and give the same bundle without measuring.
expect_ok "$LMC" compile "$TINY" --quant-min-dim 0 --quant auto --budget kl=0.001 --emit quant
cp out.txt rules.txt
expect_ok "$LMC" compile "$TINY" --quant-min-dim 0 --quant "$(cat rules.txt)" -o again.lmc
cmp 0.001.lmc/weights.safetensors again.lmc/weights.safetensors || fail "the rules give another bundle"

# A budget of bytes is kept, and what is chosen loses at most 0.7 of what the format itself does.
projections() {
  python3 -c 'import json, sys; print(sum(e["bytes_after"] for e in json.load(open(sys.argv[1]))["quantization"]))' "$1/report.json"
}
expect_ok "$LMC" compile "$TINY" --quant-min-dim 0 --quant q4_k -o q4_k.lmc
expect_ok "$LMC" compile "$TINY" --quant-min-dim 0 --quant auto --budget size=q4_k -o size.lmc
expect_in err.txt "auto: q4_k throughout: KL "
expect_in err.txt "(size=q4_k)"
[ "$(projections size.lmc)" -le "$(projections q4_k.lmc)" ] || fail "size=q4_k took $(projections size.lmc) bytes"
[ "$(size size.lmc)" -le "$(size q4_k.lmc)" ] || fail "size=q4_k made $(size size.lmc) bytes"
tail -c 12000 "$ROOT/models/tiny/valid.txt" >valid.txt
mixed=$(kl size.lmc valid.txt) uniform=$(kl q4_k.lmc valid.txt)
python3 -c 'import sys; sys.exit(not float(sys.argv[1]) <= 0.7 * float(sys.argv[2]))' "$mixed" "$uniform" ||
  fail "at the bytes of q4_k: $mixed, q4_k itself $uniform"
# … with what a table of positions, which only a pattern quantises, leaves to others.
GPT2=$ROOT/models/tiny/gpt2.yaml
expect_ok "$LMC" compile "$GPT2" --quant none -o gpt2_none.lmc
expect_ok "$LMC" compile "$GPT2" --quant-min-dim 0 --quant q4_k -o gpt2_q4_k.lmc
expect_ok "$LMC" compile "$GPT2" --quant-min-dim 0 --quant auto --budget size=q4_k -o gpt2_size.lmc
expect_in gpt2_size.lmc/report.json '"tensor": "wpe.weight"'
[ "$(size gpt2_size.lmc)" -le "$(size gpt2_q4_k.lmc)" ] || fail "size=q4_k made $(size gpt2_size.lmc) bytes of GPT-2"
mixed=$(kl gpt2_size.lmc valid.txt gpt2_none.lmc) uniform=$(kl gpt2_q4_k.lmc valid.txt gpt2_none.lmc)
python3 -c 'import sys; sys.exit(not float(sys.argv[1]) <= 0.7 * float(sys.argv[2]))' "$mixed" "$uniform" ||
  fail "GPT-2 at the bytes of q4_k: $mixed, q4_k itself $uniform"
expect_ok "$LMC" compile "$TINY" --quant-min-dim 0 --quant auto --budget bits=8.5 -o bits.lmc
case "$(formats_of bits.lmc)" in *q4* | *q5*) fail "with room for q8_0: $(formats_of bits.lmc)" ;; esac
expect_error 1 "--budget bits=4: in the shortest formats there are, the weights have 4.5 bits each" \
  "$LMC" compile "$TINY" --quant auto --budget bits=4 -o no.lmc

# A text of one's own.
expect_ok "$LMC" compile "$TINY" --quant auto --calibrate "$TEXT" --emit quant
expect_in err.txt "over 256 tokens, budget 0.01"

# It also tells which inputs of projections matter: the same bytes for any number of threads, other numbers than
# without, where a format has something to choose.
for threads in 1 2; do
  expect_ok "$LMC" compile "$TINY" --quant-min-dim 0 --quant q8_0,ffn_*=iq4_nl --calibrate "$TEXT" --threads $threads \
    -o weighed$threads.lmc
  expect_in err.txt "inputs of 43 tensors measured over 2048 tokens of $TEXT"
done
cmp weighed1.lmc/weights.safetensors weighed2.lmc/weights.safetensors || fail "threads change what is rounded"
expect_ok "$LMC" compile "$TINY" --quant-min-dim 0 --quant q8_0,ffn_*=iq4_nl -o plain.lmc
cmp -s weighed1.lmc/weights.safetensors plain.lmc/weights.safetensors && fail "--calibrate changes nothing"
expect_error 2 "is for one process" "$LMC" compile "$TINY" --quant q4_k --calibrate "$TEXT" --ranks 2 -o no.lmc

expect_error 2 "goes with --quant auto" "$LMC" compile "$TINY" --budget kl=0.1 -o no.lmc
expect_error 2 "goes with --quant auto" "$LMC" compile "$TINY" --quant q8_0 --calibrate "$TEXT" -o no.lmc
for budget in 0.1 kl= kl=x kl=-1 kl=nan kl=1e999 top1=0.9 bits= bits=-1 size= size=q9 size=f16 size=4; do
  expect_error 2 "'$budget' is no budget" "$LMC" compile "$TINY" --quant auto --budget "$budget" -o no.lmc
done
expect_error 2 "only one can choose" "$LMC" compile "$TINY" --quant auto --set quantize.format=q8_0 -o no.lmc
expect_error 2 "brings none" "$LMC" compile "$TINY" --quant auto --weights none --emit opt
expect_error 2 "which can measure" "$LMC" explore "$TINY" --quant auto -o no.html
: >empty.txt
expect_error 1 "holds no tokens" "$LMC" compile "$TINY" --quant auto --calibrate empty.txt -o no.lmc
[ ! -e no.lmc ] || fail "a refused compile left a bundle"
finish
