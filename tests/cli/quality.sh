# Quality of the tiny trained models on held-back text: as the reference unquantised, under 1% of perplexity from it
# with everything quantised; and the greedy continuations of golden.json.
# Released only: whole texts are predicted by emitted kernels.
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
# compare MODEL: f32 against Q8_0 on a part of the text; the figures agree with those of eval on each alone.
compare() {
  local m=$1
  head -c 12000 "$ROOT/models/tiny/valid.txt" >part.txt
  "$LMC" eval --compare $m-f32.lmc $m-q8.lmc --text part.txt --json >both.json 2>err.txt || fail "compare: $(cat err.txt)"
  "$LMC" eval $m-f32.lmc --text part.txt --json >f32.json 2>err.txt || fail "eval $m"
  "$LMC" eval $m-q8.lmc --text part.txt --json >q8.json 2>err.txt || fail "eval $m"
  cat both.json
  python3 - <<'PY' || fail "compare $m: $(cat both.json)"
import json
both, a, b = (json.load(open(f + ".json")) for f in ("both", "f32", "q8"))
assert both["tokens"] == a["tokens"] > 3000
for side, alone in (("a", a), ("b", b)):
    assert abs(both[side]["nll"] - alone["nll"]) < 1e-7 and abs(both[side]["perplexity"] - alone["perplexity"]) < 1e-4
assert abs(both["log_probability_difference"]["mean"] - (a["nll"] - b["nll"])) < 1e-7
assert abs(both["log_probability_difference"]["mean"]) < 5 * both["log_probability_difference"]["standard_error"] < 0.01
assert 0 < both["kl"]["mean"] < both["kl"]["p99"] < both["kl"]["max"] < 0.1 and both["kl"]["mean"] < 2e-3
assert 0.97 < both["same_top"] < 1
PY
  "$LMC" eval --compare $m-f32.lmc $m-f32.lmc --text part.txt >same.txt 2>err.txt || fail "compare with itself"
  expect_in same.txt "same likeliest token     100.000%"
  expect_in same.txt "KL divergence of B       mean 0.000000 · 99% 0.000000 · largest 0.000000 nats"
}
check gemma3 19450 4.38371
check gpt2 20439 4.56661
compare gemma3
expect_error 1 "cannot be compared: their tokenizers make other tokens of part.txt" "$LMC" eval --compare gemma3-f32.lmc gpt2-f32.lmc --text part.txt
expect_ok "$LMC" compile "$ROOT/tests/data/golden/granite" -o small.lmc
expect_error 1 "their vocabularies have 2048 and " "$LMC" eval --compare gemma3-f32.lmc small.lmc --text part.txt
expect_error 2 "--compare needs a text" "$LMC" eval --compare gemma3-f32.lmc gemma3-q8.lmc
expect_error 2 "--compare: At least 2 required" "$LMC" eval --compare gemma3-f32.lmc
expect_error 2 "bundle excludes --compare" "$LMC" eval gemma3-f32.lmc --compare gemma3-f32.lmc gemma3-q8.lmc --text part.txt
expect_error 1 "no such bundle" "$LMC" eval --compare gemma3-f32.lmc none.lmc --text part.txt
: >empty.txt
expect_error 1 "empty.txt: holds no tokens" "$LMC" eval --compare gemma3-f32.lmc gemma3-q8.lmc --text empty.txt
finish
