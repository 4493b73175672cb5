# Quality of the tiny trained models on held-back text: as the reference unquantised, under 1% of perplexity from it
# with everything quantised; and the greedy continuations of golden.json.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
field() { sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" "$1"; }
check() {  # check MODEL TOKENS NLL
  local m=$1 tokens=$2 nll=$3
  expect_ok "$LMC" compile "$ROOT/models/tiny/$m.yaml" --quant=none -o $m-f32.lmc
  expect_ok "$LMC" compile "$ROOT/models/tiny/$m.yaml" --quant-min-dim 1 -o $m-q8.lmc
  "$LMC" eval $m-f32.lmc --text "$ROOT/models/tiny/valid.txt" --json >f32.json 2>err.txt || fail "eval $m: $(cat err.txt)"
  "$LMC" eval $m-q8.lmc --text "$ROOT/models/tiny/valid.txt" --json >q8.json 2>err.txt || fail "eval $m: $(cat err.txt)"
  cat f32.json q8.json
  [ "$(field f32.json tokens)" = "$tokens" ] || fail "$m: $(field f32.json tokens) tokens, not $tokens"
  awk -v a="$(field f32.json nll)" -v b="$nll" 'BEGIN { d = a - b; exit !(d < 0.0005 && d > -0.0005) }' || fail "$m: nll $(cat f32.json), not $nll"
  awk -v a="$(field q8.json perplexity)" -v b="$(field f32.json perplexity)" 'BEGIN { r = a / b; exit !(r < 1.01 && r > 0.99) }' || fail "$m: quantising changes perplexity: $(cat q8.json)"
}
check gemma3 19450 4.38371
check gpt2 20439 4.56661
finish
