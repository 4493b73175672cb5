# How tokens are drawn where the flags do not say it: greedy, as the checkpoint advises, from a seed that is said.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
cp -r "$ROOT/models/tiny/gemma3" model
advise() { # advise JSON: what generation_config.json says
  echo "$1" >model/generation_config.json
  expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o advised.lmc
}
text() { "$LMC" run advised.lmc -p "ROMEO:" -n 12 --json "$@" 2>err.txt || fail "run $*: $(cat err.txt)"; }

advise '{"do_sample": true, "temperature": 0.7, "top_p": 0.9, "repetition_penalty": 1.1, "eos_token_id": [1]}'
text >greedy.json
grep -q seed greedy.json && fail "greedy text has a seed: $(cat greedy.json)"
text --sampling checkpoint --seed 5 >drawn.json
expect_in err.txt "as the checkpoint advises: --temperature 0.7 --top-k 50 --top-p 0.9 --repetition-penalty 1.1 --repetition-window 0 --seed 5"
text --temperature 0.7 --top-k 50 --top-p 0.9 --repetition-penalty 1.1 --repetition-window 0 --seed 5 >same.json
cmp -s drawn.json same.json || fail "advised: $(cat drawn.json), by flags: $(cat same.json)"
text --sampling checkpoint --temperature 0 --repetition-penalty 1 >none.json
cmp -s greedy.json none.json || fail "flags go before advice: $(cat none.json)"

# Without a seed every run draws anew, and says from what.
text --temperature 1 >a.json
text --temperature 1 >b.json
cmp -s a.json b.json && fail "two runs draw the same: $(cat a.json)"
seed=$(sed -n 's/.*"seed":\([0-9]*\).*/\1/p' a.json)
text --temperature 1 --seed "$seed" >again.json
cmp -s a.json again.json || fail "--seed $seed says $(cat again.json) instead of $(cat a.json)"

# What is left out, and what is not meant.
advise '{"do_sample": false, "temperature": 0.6, "top_k": 3}'
text --sampling checkpoint >none.json
cmp -s greedy.json none.json || fail "without do_sample: $(cat none.json)"
advise '{"do_sample": true, "temperature": null, "top_k": 0}'
text --sampling checkpoint --seed 1 >/dev/null
expect_in err.txt "as the checkpoint advises: --temperature 1 --seed 1"
for wrong in '"temperature": "hot"' '"temperature": -1' '"top_p": 1.5' '"repetition_penalty": 0' '"do_sample": 1' '"top_k": -5'; do
  echo "{\"do_sample\": true, $wrong}" >model/generation_config.json
  key=${wrong%%:*}
  expect_error 1 "model/generation_config.json: ${key//\"/} must be " "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o no.lmc
done
[ -e no.lmc ] && fail "a bundle was written"

# A GGUF file says it, too.
rm model/generation_config.json
expect_ok "$LMC" export "$ROOT/models/tiny/gemma3.yaml" --gguf tiny.gguf --type q8_0
rewrite() { python3 "$ROOT/tests/cli/gguf_rewrite.py" add tiny.gguf advised.gguf "$@" || fail "gguf_rewrite.py"; }
rewrite general.sampling.temp=0.5 general.sampling.top_k=20 general.sampling.top_p=1 general.sampling.penalty_repeat=1.25
expect_ok "$LMC" compile advised.gguf -o advised.lmc
text --sampling checkpoint --seed 1 >/dev/null
expect_in err.txt "as the checkpoint advises: --temperature 0.5 --top-k 20 --repetition-penalty 1.25 --repetition-window 0 --seed 1"
rewrite general.sampling.temp=-1
expect_error 1 "advised.gguf: general.sampling.temp must be a number from 0" "$LMC" compile advised.gguf -o no.lmc

# … and is told it by export.
echo '{"do_sample": true, "temperature": 0.6, "top_k": 20, "min_p": 0.05}' >model/generation_config.json
expect_ok "$LMC" export "$ROOT/models/tiny/gemma3.yaml" --weights model --gguf told.gguf --type q8_0
expect_ok "$LMC" compile told.gguf -o advised.lmc
text --sampling checkpoint --seed 1 >/dev/null
expect_in err.txt "as the checkpoint advises: --temperature 0.6 --top-k 20 --min-p 0.05 --seed 1"
rm model/generation_config.json

# Logprobs: those of a distribution, of the tokens that come without them.
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o advised.lmc
for how in "" "--temperature 1 --seed 3"; do
  text $how >plain.json
  text $how --logprobs 2048 --timings >probs.json
  python3 - plain.json probs.json <<'P' || fail "--logprobs $how: $(head -c 300 probs.json)"
import json, math, sys
plain, probs = (json.load(open(f)) for f in sys.argv[1:])
for key in plain: assert plain[key] == probs[key], key
assert [c["id"] for c in probs["logprobs"]] == plain["ids"]
assert "".join(c["token"] for c in probs["logprobs"]).strip() == plain["text"].strip()
for c in probs["logprobs"]:
    assert abs(sum(math.exp(t["logprob"]) for t in c["top"]) - 1) < 1e-6
    assert {t["id"]: t["logprob"] for t in c["top"]}[c["id"]] == c["logprob"]
    assert sorted(c["top"], key=lambda t: -t["logprob"]) == c["top"]
t = probs["timings"]
assert t["prompt_n"] == len(plain["prompt_ids"]) and t["predicted_n"] == 12 and t["prompt_ms"] > 0 and t["predicted_ms"] > 0
P
done
expect_error 2 "--logprobs goes with --json" "$LMC" run nowhere.lmc -p x --logprobs 1
expect_error 2 "--timings goes with --json" "$LMC" run nowhere.lmc -p x --timings

# -c holds for the prompt and what is made of it, up to what was compiled.
"$LMC" run advised.lmc -p "ROMEO:" -c 20 -n -1 --ignore-eos --json >short.json 2>err.txt || fail "-c: $(cat err.txt)"
python3 -c 'import json; d = json.load(open("short.json")); assert len(d["ids"]) + len(d["prompt_ids"]) == 21 and d["stop_reason"] == "context", d' || fail "-c 20: $(cat short.json)"
"$LMC" run advised.lmc -p "ROMEO:" -n 19 --ignore-eos --json >long.json 2>/dev/null
cmp -s <(cut -d'"' -f1-5 short.json) <(cut -d'"' -f1-5 long.json) || fail "-c changes tokens"
expect_error 2 "-c 5000: advised.lmc was compiled for 512 positions" "$LMC" run advised.lmc -p x -c 5000

# What was made until Ctrl-C came.
for attempt in $(seq 40); do
  rm -f err.txt # which would say so, of the attempt before
  "$LMC" run advised.lmc --ids "$(seq -s, 4 100)" -n -1 --ignore-eos --json -t 1 >cut.json 2>err.txt &
  pid=$!
  for _ in $(seq 200); do grep -qs "warmed up" err.txt && break; sleep 0.002; done
  kill -INT $pid 2>/dev/null
  wait $pid && continue
  [ -s cut.json ] && break
done
python3 -c 'import json; d = json.load(open("cut.json")); assert d["stop_reason"] == "interrupted" and d["usage"]["completion_tokens"] == len(d["ids"]) < 400, d' ||
  fail "Ctrl-C leaves $(cat cut.json)"
expect_in err.txt "lmc: interrupted"
finish
