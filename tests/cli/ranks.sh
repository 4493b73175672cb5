# A model on several ranks: the same tokens and logits for any number, one message where something is wrong, and no
# rank left behind when one dies or hangs. Without MPI (-DLMC_MPI=OFF) only compiling is tested.
# Released only: mpirun and its libraries are not instrumented.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
MODEL=$ROOT/models/tiny/gemma3.yaml

for n in 1 2 4; do
  "$LMC" compile "$MODEL" --ranks $n -o r$n.lmc 2>compile.$n || fail "compile --ranks $n: $(cat compile.$n)"
  grep -q "verified" compile.$n || fail "the kernels of $n ranks were not verified"
done
ls r4.lmc | grep -q '^rank3.weights.safetensors$' || fail "rank 3 has no weights of its own"
"$LMC" verify r2.lmc 2>/dev/null | grep -q '^rank 1: verified' || fail "the kernels of rank 1 were not verified again"
# What ranks have in common is stored once: norms, here.
python3 - r2.lmc <<'P' || fail "nothing is stored once"
import json, os, sys
shared = json.load(open(sys.argv[1] + '/manifest.json'))['shared_weights']['1']
own, first = (json.load(open(f'{sys.argv[1]}/{r}plan.json'))['weights'] for r in ('rank1.', ''))
assert len(shared) == len(own) and sum(s >= 0 for s in shared) > 10
assert all(s < 0 or own[i]['type'] == first[s]['type'] for i, s in enumerate(shared))
stored = sum(w['bytes'] for w, s in zip(own, shared) if s < 0)
assert stored < os.path.getsize(sys.argv[1] + '/rank1.weights.safetensors') < sum(w['bytes'] for w in own) + (1 << 20)
P
cp -r r2.lmc bad.lmc && python3 - <<'P'
import json
m = json.load(open('bad.lmc/manifest.json'))
shared = m['shared_weights']['1']
shared[next(i for i, s in enumerate(shared) if s >= 0)] = 10**9
json.dump(m, open('bad.lmc/manifest.json', 'w'))
P
expect_error 1 "bad.lmc/manifest.json: shares weights that rank 0 does not have" "$LMC" verify bad.lmc --kernels
"$LMC" inspect r2.lmc --verify >/dev/null || fail "inspect --verify of a bundle for two ranks"
"$LMC" compile "$MODEL" --ranks 2 --rank 1 --emit opt >rank1.lmir 2>/dev/null || fail "--emit opt of one rank"
grep -q 'all_gather(%[^,]*) {sizes=\[[0-9,]*\], rank=1}' rank1.lmir || fail "rank 1 gathers nothing"
"$LMC" compile "$MODEL" --ranks 2 --emit opt --check >both.lmir 2>both.log || fail "--check of two ranks: $(tail -1 both.log)"
grep -q 'check shard (exact' both.log || fail "the pass was not checked"

# Experts of a mixture: each rank has its own, and no others'.
"$LMC" compile "$ROOT/tests/data/golden/qwen3moe-a" --ranks 2 --emit opt --check >both.lmir 2>both.log || fail "--check of experts: $(tail -1 both.log)"
grep -q 'check shard (exact' both.log || fail "the pass was not checked for experts"
"$LMC" compile "$ROOT/tests/data/golden/qwen3moe-a" --ranks 2 --quant none -o experts.lmc 2>log || fail "experts: $(cat log)"
python3 - experts.lmc <<'P' || fail "a rank has other experts than its own"
import json, sys
for plan in ('plan.json', 'rank1.plan.json'):
    weights = json.load(open(f'{sys.argv[1]}/{plan}'))['weights']
    shapes = [w['type']['dims'] for w in weights if len(w['type']['dims']) == 3]
    assert shapes and all(s[0] == 4 for s in shapes), shapes
P

# Whole layers to each rank.
for n in 1 2 4; do
  "$LMC" compile "$MODEL" --ranks $n --split layers -o l$n.lmc 2>compile.$n || fail "--split layers: $(cat compile.$n)"
done
"$LMC" compile "$MODEL" -o plain.lmc 2>/dev/null
"$LMC" compile "$MODEL" --ranks 2 --split layers --emit opt --check >both.lmir 2>both.log || fail "--check of layers: $(tail -1 both.log)"
grep -q 'check shard (exact' both.log || fail "the pass was not checked for layers"
expect_error 1 "there are 6 layers, fewer than the 8 ranks" "$LMC" compile "$MODEL" --ranks 8 --split layers
expect_error 2 "--split goes with --ranks" "$LMC" compile "$MODEL" --split layers

# What several machines would give, and what each would compute.
"$LMC" price "$MODEL" --ranks 1,2,8,64 --network latency=20us,bandwidth=10Gb >price.txt 2>price.log || fail "price: $(cat price.log)"
[ "$(grep -c '^  tensor  *[0-9]' price.txt)" = 4 ] || fail "price: $(cat price.txt)"
grep -q 'layers, 64 ranks: .*there are 6 layers, fewer' price.txt || fail "price does not say what cannot be: $(cat price.txt)"
"$LMC" price "$MODEL" --ranks 2 --network latency=0us,bandwidth=1GB,message=0us --json 2>/dev/null >fast.json
"$LMC" price "$MODEL" --ranks 2 --network latency=1ms,bandwidth=1Mb --json 2>/dev/null >slow.json
"$LMC" price "$MODEL" --ranks 2 --network latency=1ms,bandwidth=1Mb --texts 8 --json 2>/dev/null >texts.json
expect_error 2 "--texts 65: a step takes 64 tokens at most" "$LMC" price "$MODEL" --ranks 2 --texts 65
python3 - <<'P' || fail "price: the network counts for nothing"
import json
fast, slow, texts = (json.load(open(f))['prices'] for f in ('fast.json', 'slow.json', 'texts.json'))
for f, s in zip(fast, slow):
    assert f['compute_seconds'] == s['compute_seconds'] and f['sent_bytes'] == s['sent_bytes'] > 0
    # Each collective waits for a message, and two layers' worth of rows take their time at 1 Mb/s.
    assert s['network_seconds'] > s['collectives'] * 1e-3 + f['network_seconds']
tensor, layers = slow
assert tensor['collectives'] == 14 and layers['collectives'] == 2
assert layers['decode_tokens_per_second'] > tensor['decode_tokens_per_second']
# Of eight texts, each rank of layers has four at a time; the latency is then waited for once for all eight.
assert texts[1]["decode_tokens_per_second"] > 1.5 * layers['decode_tokens_per_second']
P
# Ranks in layers that share a machine have one text in turn, and each as much of the memory's rate as one thread can use.
LMC_MACHINE="$ROOT/tests/data/machine.json" "$LMC" price "$ROOT/models/gpt2.yaml" --weights random --ranks 1,2 --per-machine 2 \
  --json 2>/dev/null >shared.json
python3 - <<'P' || fail "price: what ranks that share a machine take: $(cat shared.json)"
import json
seconds = {(p['split'], p['ranks']): p['compute_seconds'] for p in json.load(open('shared.json'))['prices']}
assert 0.95 < seconds['layers', 2] / seconds['layers', 1] < 1.05
assert 0.55 < seconds['tensor', 2] / seconds['tensor', 1] < 0.7  # both at once: 12.5 GB/s each instead of 14
P
expect_error 2 "bandwidth must be a number and one of" "$LMC" price "$MODEL" --network bandwidth=fast
expect_error 2 "--network takes latency=" "$LMC" price "$MODEL" --network speed=1
expect_error 2 "must be 1, 2, 4, 8, 16, 32 or 64" "$LMC" price "$MODEL" --ranks 3
"$LMC" explore "$MODEL" --ranks 2 --rank 1 --json >explore.json 2>log || fail "explore --ranks: $(cat log)"
python3 - <<'P' || fail "explore does not show what is sent"
import json
page = json.load(open('explore.json'))
assert any(f.startswith('rank 1: ') and '14 collectives' in f for f in page['facts']), page['facts']
assert 'rank 1' in [p['pass'] for p in page['passes']]
P
expect_error 2 "--rank and --split go with --ranks" "$LMC" explore "$MODEL" --rank 1 -o x.html

expect_error 2 "must be 1, 2, 4 or 8" "$LMC" compile "$MODEL" --ranks 3
expect_error 2 "--rank goes with --emit" "$LMC" compile "$MODEL" --ranks 2 --rank 1
expect_error 2 "--rank 2: there are 2 ranks" "$LMC" compile "$MODEL" --ranks 2 --rank 2 --emit opt
expect_error 2 "is of one rank: pass --rank" "$LMC" compile "$MODEL" --ranks 2 --emit decode
expect_error 1 "r2.lmc: is for 2 ranks: start it as mpirun -n 2" "$LMC" run r2.lmc --prompt x
expect_error 1 "is for 2 ranks" "$LMC" serve r2.lmc

if "$LMC" run r2.lmc --prompt x 2>&1 | grep -q 'without MPI'; then
  echo "built without MPI: nothing more to test"
  finish
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
ranks() { timeout 60 mpirun --oversubscribe --bind-to none -n "$@"; }

# The same text, ids and logits.
"$LMC" run r1.lmc --prompt "ROMEO:" --max-tokens 60 >one.txt 2>/dev/null
"$LMC" eval r1.lmc --ids 5,9,300,77,8,15 --json >one.json
printf 'ROMEO:\nJULIET:\nThe\nROMEO: I\n' >prompts.txt
"$LMC" run r1.lmc --batch prompts.txt --max-tokens 30 >one.batch 2>/dev/null
for n in 2 4; do
  ranks $n "$LMC" run r$n.lmc --prompt "ROMEO:" --max-tokens 60 -t 1 >many.txt 2>log || fail "$n ranks: $(tail -3 log)"
  cmp one.txt many.txt || fail "$n ranks write another text"
  ranks $n "$LMC" eval r$n.lmc --ids 5,9,300,77,8,15 -t 1 --json >many.json 2>log || fail "$n ranks: $(tail -3 log)"
  cmp one.json many.json || fail "$n ranks compute other logits"
done
ranks 2 "$LMC" run r2.lmc --batch prompts.txt --max-tokens 30 -t 1 >many.batch 2>log || fail "batch: $(tail -3 log)"
cmp one.batch many.batch || fail "batched, two ranks write other texts"
ranks 2 "$LMC" run r2.lmc --prompt "ROMEO:" --max-tokens 60 --speculate lookup -t 1 >many.txt 2>log
cmp one.txt many.txt || fail "with drafts, two ranks write another text"
echo "ROMEO:" | ranks 2 "$LMC" run r2.lmc --max-tokens 60 -t 1 >piped.txt 2>log || fail "piped: $(tail -3 log)"
tail -n +2 piped.txt | grep -q . || fail "rank 0 does not read standard input"

# Whole layers: the bits of a bundle that is not dealt out.
"$LMC" run plain.lmc --prompt "ROMEO:" --max-tokens 60 >one.txt 2>/dev/null
"$LMC" eval plain.lmc --ids 5,9,300,77,8,15 --json >one.json
"$LMC" run plain.lmc --batch prompts.txt --max-tokens 30 >one.batch 2>/dev/null
"$LMC" run plain.lmc --prompt "ROMEO:" --max-tokens 40 --temperature 0.9 --seed 3 >one.drawn 2>/dev/null
for n in 2 4; do
  ranks $n "$LMC" run l$n.lmc --prompt "ROMEO:" --max-tokens 60 -t 1 >many.txt 2>log || fail "$n x layers: $(tail -3 log)"
  cmp one.txt many.txt || fail "layers on $n ranks write another text"
  ranks $n "$LMC" eval l$n.lmc --ids 5,9,300,77,8,15 -t 1 --json >many.json 2>log || fail "$n x layers: $(tail -3 log)"
  cmp one.json many.json || fail "layers on $n ranks compute other logits"
  ranks $n "$LMC" run l$n.lmc --batch prompts.txt --max-tokens 30 -t 1 >many.batch 2>log || fail "layers, batch: $(tail -3 log)"
  cmp one.batch many.batch || fail "batched, layers on $n ranks write other texts"
done
"$LMC" run plain.lmc --batch prompts.txt --max-tokens 30 --temperature 0.9 --top-k 40 --seed 8 >one.batch 2>/dev/null
ranks 2 "$LMC" run l2.lmc --batch prompts.txt --max-tokens 30 --temperature 0.9 --top-k 40 --seed 8 -t 1 >many.batch 2>log || fail "layers, drawn batch: $(tail -3 log)"
cmp one.batch many.batch || fail "batched and drawn, layers write other texts"
ranks 4 "$LMC" run l4.lmc --prompt "ROMEO:" --max-tokens 60 --speculate lookup -t 1 >many.txt 2>log
cmp one.txt many.txt || fail "with drafts, layers write another text"
ranks 2 "$LMC" run l2.lmc --prompt "ROMEO:" --max-tokens 40 --temperature 0.9 --seed 3 -t 1 >many.drawn 2>log
cmp one.drawn many.drawn || fail "drawn from, layers write another text"
# Some ids only: rank 0 alone knows which.
seq 0 3 2047 >some.ids
"$LMC" run r1.lmc --ids 5,9,300 --allowed-ids some.ids --max-tokens 20 --json >one.json 2>/dev/null
ranks 2 "$LMC" run r2.lmc --ids 5,9,300 --allowed-ids some.ids --max-tokens 20 -t 1 --json >many.json 2>log
cmp one.json many.json || fail "of some ids two ranks choose others"

# Drawn, biased and constrained tokens need some of the other ranks' logits: the same tokens come of them.
draws() { # NAME FLAGS…
  local name=$1
  shift
  "$LMC" run r1.lmc "$@" --max-tokens 25 --json >one.json 2>/dev/null
  for n in 2 4; do
    ranks $n "$LMC" run r$n.lmc "$@" --max-tokens 25 -t 1 --json >many.json 2>log || fail "$name, $n ranks: $(tail -3 log)"
    cmp one.json many.json || fail "$name: $n ranks draw others"
  done
}
draws temperature --prompt "ROMEO:" --temperature 1.1 --seed 3
draws top-k --prompt "ROMEO:" --temperature 1 --top-k 30 --seed 4
draws top-p --prompt "ROMEO:" --temperature 0.9 --top-p 0.8 --min-p 0.02 --seed 5
draws penalties --prompt "ROMEO:" --repetition-penalty 1.3 --frequency-penalty 0.4 --logit-bias 300=4
draws regex --prompt "ROMEO:" --regex '[A-Za-z ,.]+' --temperature 0.7 --seed 6
draws guesses --prompt "ROMEO: ROMEO: ROMEO:" --temperature 0.6 --seed 7 --speculate lookup
"$LMC" run r1.lmc --batch prompts.txt --max-tokens 20 --temperature 0.8 --top-p 0.9 --seed 2 >one.batch 2>/dev/null
ranks 2 "$LMC" run r2.lmc --batch prompts.txt --max-tokens 20 --temperature 0.8 --top-p 0.9 --seed 2 -t 1 >many.batch 2>log || fail "drawn batch: $(tail -3 log)"
cmp one.batch many.batch || fail "batched, two ranks draw others"

# Measuring.
ranks 2 "$LMC" profile r2.lmc -p 8 -n 8 -t 1 --json >profile.json 2>log || fail "profile: $(tail -3 log)"
python3 - <<'P' || fail "profile: $(head -c 300 profile.json)"
import json
sent = {c['part']: c for c in json.load(open('profile.json'))['collectives']}
assert sent['attention']['calls_per_step'] == sent['ffn']['calls_per_step'] == 6
assert sent['ffn']['sent_bytes_per_step'] == 6 * 128 * 4
assert all(c['ms_per_step'] >= c['waiting_ms_per_step'] >= 0 for c in sent.values())
P
ranks 2 "$LMC" bench r2.lmc l2.lmc -p 16 -n 8 -r 1 -t 1 2>log | grep -q 'l2.lmc | 1 | tg8@d0' || fail "bench: $(tail -3 log)"
timeout 60 mpirun --oversubscribe --bind-to none -n 2 "$LMC" serve r2.lmc --port 0 -t 1 >/dev/null 2>serve.log &
server=$!
for _ in $(seq 100); do grep -q 'listening on' serve.log && break || sleep 0.1; done
at=$(grep -o 'http://[0-9.:]*' serve.log)
curl -s -m 30 "$at/completion" -d '{"prompt": "ROMEO:", "n_predict": 30, "temperature": 0}' >served.json || fail "serve: $(tail -3 serve.log)"
"$LMC" run r1.lmc --prompt "ROMEO:" --max-tokens 30 --json >one.json 2>/dev/null
python3 -c 'import json; assert json.load(open("served.json"))["tokens"] == json.load(open("one.json"))["ids"]' ||
  fail "served by two ranks: $(head -c 300 served.json)"
kill $server && wait $server 2>/dev/null

# What does not fit.
ranks 2 "$LMC" run r1.lmc --prompt x 2>log >/dev/null && fail "a bundle for one ran on two"
grep -q "r1.lmc: is for one process, not for 2: compile it with --ranks 2" log || fail "one on two: $(cat log)"
ranks 4 "$LMC" run r2.lmc --prompt x 2>log >/dev/null && fail "a bundle for two ran on four"
[ "$(grep -c '^lmc: ' log)" = 1 ] || fail "two on four, not one message: $(cat log)"
ranks 2 "$LMC" run r2.lmc --ids 99999 2>log >/dev/null && fail "an id beyond the vocabulary"
[ "$(grep -c '^lmc: ' log)" = 1 ] || fail "a wrong id, not one message: $(cat log)"
ranks 2 "$LMC" eval r2.lmc --ids 5 --reference 2>log >/dev/null && fail "--reference on two ranks"

# A rank that is killed, and one that hangs, end the others soon.
for i in $(seq 400); do echo "KING $i:"; done >many.prompts
lose() {  # lose SIGNAL RANK
  mpirun --oversubscribe --bind-to none -n 4 "$LMC" run r4.lmc --batch many.prompts --max-tokens 400 --ignore-eos -t 1 \
    >/dev/null 2>log &
  local started=$! pid="" p begin
  for _ in $(seq 100); do
    sleep 0.1
    for p in $(pgrep -P $started); do
      tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$2" && pid=$p
    done
    [ -n "$pid" ] && grep -q 'warmed up' log && break
  done
  local others
  others=$(pgrep -P $started)
  [ -n "$pid" ] || fail "no rank $2: $(tail -3 log)"
  begin=$(date +%s)
  kill -"$1" "$pid"
  wait $started && fail "all went well without rank $2"
  [ $(($(date +%s) - begin)) -le 10 ] || fail "without rank $2 ($1) the others went on for more than 10 s"
  # mpirun may end a moment before them. (Who is not waited for by whoever inherits it is gone all the same.)
  for p in $others; do
    while grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$p/status"; do
      [ $(($(date +%s) - begin)) -le 10 ] || fail "process $p is left behind"
      sleep 0.1
    done
  done
}
lose KILL 1
grep -q 'rank 1 .*signal 9' log || fail "nobody names the rank that was killed: $(cat log)"
lose STOP 2
[ "$(grep -c '^lmc: ' log)" = 1 ] || fail "a rank that hangs, not one message: $(cat log)"
grep -q '^lmc: rank 2 has not answered for 7 s: all ranks end' log || fail "nobody names the rank that hangs: $(cat log)"
finish
