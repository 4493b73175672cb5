# GGUF files as others make them: in parts, with experts apart, in formats that kernels do not read.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
GOLDEN=$ROOT/tests/data/golden
TINY=$ROOT/models/tiny/gemma3.yaml
eval_of() { "$LMC" eval "$1" --ids 1,17,42,99,7,3,255,80,81,82,83,84 --json 2>>err.txt || fail "eval $1"; }
rewrite() { python3 "$ROOT/tests/cli/gguf_rewrite.py" "$@" || fail "rewrite $*"; }

# In parts: the first one names them all.
expect_ok "$LMC" export "$GOLDEN/mixtral-a" --gguf whole.gguf --type q8_0
expect_ok "$LMC" compile whole.gguf
eval_of whole.lmc >whole.json
rewrite split whole.gguf parts 3
expect_ok "$LMC" inspect parts-00001-of-00003.gguf
expect_in out.txt "GGUF 3 in 3 files"
expect_ok "$LMC" compile parts-00001-of-00003.gguf -o parts.lmc
eval_of parts.lmc >parts.json
cmp -s whole.json parts.json || fail "other logits out of three parts"
echo "one two" | "$LMC" tokenize whole.gguf >a.txt
echo "one two" | "$LMC" tokenize parts-00001-of-00003.gguf >b.txt
cmp -s a.txt b.txt || fail "other ids out of three parts"
expect_error 1 "is part 2 of a model in 3 files; name the first, parts-00001-of-00003.gguf" "$LMC" compile parts-00002-of-00003.gguf
mv parts-00003-of-00003.gguf x.gguf
expect_error 1 "parts-00003-of-00003.gguf" "$LMC" compile parts-00001-of-00003.gguf
cp parts-00002-of-00003.gguf parts-00003-of-00003.gguf
expect_error 1 "parts-00003-of-00003.gguf: is not part 3 of 3, as its name says" "$LMC" compile parts-00001-of-00003.gguf
mv x.gguf other.gguf
expect_error 1 "does not end in -00003-of-00003.gguf" "$LMC" compile other.gguf

# Experts apart, one of them missing.
rewrite apart whole.gguf apart.gguf
expect_ok "$LMC" compile apart.gguf
eval_of apart.lmc >apart.json
cmp -s whole.json apart.json || fail "other logits with experts apart"
sed 's/blk.1.ffn_up.2.weight/blk.1.ffn_up.9.weight/' apart.gguf >lost.gguf
expect_error 1 "tensor 'blk.1.ffn_up.9.weight'" "$LMC" compile lost.gguf

# Rows that are no multiple of 256 become Q5_0 beside Q4_K, Q8_0 beside better ones, and stay what they are.
expect_ok "$LMC" export "$TINY" --gguf short.gguf --type q4_k
expect_in err.txt "31 of 80 tensors are Q5_0 instead of q4_k: their rows of 128 are not whole blocks of 256"
[ "$(stat -c %s short.gguf)" -lt 2200000 ] || fail "short.gguf has $(stat -c %s short.gguf) bytes"
expect_ok "$LMC" compile "$TINY" --weights short.gguf -o short.lmc
python3 - short.lmc/report.json <<'P' || fail "the ledger of Q5_0"
import json, sys
ledger = json.load(open(sys.argv[1]))["quantization"]
q5 = [e for e in ledger if e["format"] == "q5_0"]
assert len(q5) == 31 and len(ledger) == 43, ledger
assert all(e["rule"] == "as stored" and "sqnr_db" not in e for e in ledger), ledger
P
for type in q5_k q6_k; do
  expect_ok "$LMC" export "$TINY" --gguf short.gguf --type $type
  expect_in err.txt "31 of 80 tensors are Q8_0 instead of $type: their rows of 128 are not whole blocks of 256"
done

# Quantised tensors below --quant-min-dim stay so, and tables that are only looked up: nothing gets larger than it came.
expect_ok "$LMC" export "$TINY" --gguf tiny.gguf --type q8_0
for quant in "" "--quant q8_0" "--quant auto --budget kl=0"; do
  expect_ok "$LMC" compile tiny.gguf $quant -o tiny.lmc
  [ "$(stat -c %s tiny.lmc/weights.safetensors)" -le "$(stat -c %s tiny.gguf)" ] ||
    fail "$quant: $(stat -c %s tiny.lmc/weights.safetensors) bytes out of $(stat -c %s tiny.gguf)"
done
expect_in err.txt "what the checkpoint holds quantised stays as it is"
expect_ok "$LMC" compile tiny.gguf --quant none -o tiny.lmc
[ "$(stat -c %s tiny.lmc/weights.safetensors)" -gt 9000000 ] || fail "--quant none has rounded"
finish
