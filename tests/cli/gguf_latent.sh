# DeepSeek's GGUF files as they are made today: keys and values are projected by a stack of matrices each, and a layer
# predicts the token behind the next one, which lmc leaves out.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
GOLDEN=$ROOT/tests/data/golden/deepseek3-a
eval_of() { "$LMC" eval "$1" --ids 1,17,42,99,7,3,255,80,81,82,83,84 --json 2>>err.txt || fail "eval $1"; }

expect_ok "$LMC" export "$GOLDEN" --gguf joined.gguf
python3 "$ROOT/tests/cli/gguf_rewrite.py" latent joined.gguf apart.gguf 4 12 10 8 || fail "rewrite"
for file in joined apart; do
  expect_ok "$LMC" compile $file.gguf --quant none --context 512
  eval_of $file.lmc >$file.json
done
cmp -s joined.json apart.json || fail "other logits with keys and values apart"
finish
