# Generation as people ask for it: what ends it, what is drawn, and guesses that change nothing.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
run() { "$LMC" run tiny.lmc --prompt "ROMEO:" --max-tokens 60 "$@" 2>err.txt; }

# A stop string is found wherever the tokens' borders lie, and not shown.
run >plain.txt || fail "plain run"
whole=$(sed -n '1,$p' plain.txt)
for at in 5 11 23 40; do
  stop=${whole:$at:3}
  before=${whole%%"$stop"*}
  run --stop "$stop" --stop "never said" >stopped.txt || fail "--stop"
  [ "$(cat stopped.txt)" = "$before" ] || fail "--stop '$stop' printed: $(cat stopped.txt)"
done
expect_error 2 "--stop needs a text" "$LMC" run tiny.lmc --stop ""

# Guesses: the same tokens, greedy or drawn; the prompt repeats itself, so some guesses are right.
again="ROMEO: I am a man. JULIET: I am a man. ROMEO: I am a man. JULIET:"
for how in "" "--temperature 0.8 --top-k 20 --seed 5" "--repetition-penalty 1.2 --frequency-penalty 0.5" "--temperature 1 --min-p 0.1 --seed 9"; do
  for draft in 1 4 63; do
    "$LMC" run tiny.lmc --prompt "$again" -n 100 --ignore-eos --json $how >one.json 2>/dev/null || fail "run $how"
    "$LMC" run tiny.lmc --prompt "$again" -n 100 --ignore-eos --json $how --speculate lookup --draft $draft \
      >guessed.json 2>err.txt || fail "run --speculate $how"
    cmp -s one.json guessed.json || fail "--speculate --draft $draft $how changes the tokens"
    "$LMC" run tiny.lmc --prompt "$again" -n 100 --ignore-eos --json $how --speculate lookup --draft $draft \
      --draft-min $draft >guessed.json 2>err.txt || fail "run --draft-min $how"
    cmp -s one.json guessed.json || fail "--speculate --draft-min $draft $how changes the tokens"
  done
done
"$LMC" run tiny.lmc --prompt "$again" -n 100 --ignore-eos --speculate lookup --draft-min 1 >/dev/null 2>err.txt
expect_in err.txt "guessed tokens accepted"
# … past the window of the sliding layers, up to the last position of the context.
long=$(seq -s, 2 60),$(seq -s, 2 60),$(seq -s, 2 60),$(seq -s, 2 60)
"$LMC" run tiny.lmc --ids "$long" -n 1000 --ignore-eos --json >one.json 2>/dev/null || fail "to the end of the context"
"$LMC" run tiny.lmc --ids "$long" -n 1000 --ignore-eos --json --speculate lookup --draft-min 5 >guessed.json 2>/dev/null
cmp -s one.json guessed.json || fail "guesses at the end of the context change the tokens"

# Guesses by half of each weight: the same weights and tokens; only where the bundle has that step, and one text at a time.
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --quant q8_0 --quant-min-dim 32 -o whole.lmc
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --quant q8_0 --quant-min-dim 32 --self-draft -o own.lmc
[ "$(stat -c %s own.lmc/weights.safetensors)" = "$(stat -c %s whole.lmc/weights.safetensors)" ] || fail "planes take more than blocks"
expect_ok "$LMC" verify own.lmc --kernels
for how in "" "--temperature 0.8 --top-k 20 --seed 5" "--repetition-penalty 1.2 --repetition-window 0" "--allowed-ids own_ids.txt"; do
  echo "5-900" >own_ids.txt
  "$LMC" run whole.lmc --prompt "ROMEO:" -n 100 --ignore-eos --json $how >one.json 2>/dev/null || fail "run $how"
  for draft in "" "--draft-min 1" "--draft 5 --draft-min 5"; do
    "$LMC" run own.lmc --prompt "ROMEO:" -n 100 --ignore-eos --json $how --speculate self $draft >guessed.json 2>err.txt ||
      fail "run --speculate self $how"
    cmp -s one.json guessed.json || fail "--speculate self $draft $how changes the tokens"
  done
done
expect_in err.txt "guessed tokens accepted"
"$LMC" run whole.lmc --ids "$long" -n 1000 --ignore-eos --json >one.json 2>/dev/null || fail "to the end of the context"
"$LMC" run own.lmc --ids "$long" -n 1000 --ignore-eos --json --speculate self --draft-min 5 >guessed.json 2>/dev/null
cmp -s one.json guessed.json || fail "the model's own guesses at the end of the context change the tokens"
expect_ok "$LMC" bench own.lmc -p 0 -n 4 -r 1
expect_in out.txt "gs4@d0"
expect_error 1 "tiny.lmc: was compiled without a draft of its own: compile it with --self-draft" "$LMC" run tiny.lmc --ids 2 --speculate self
expect_error 2 "--speculate self guesses for one text at a time: leave it out with lmc serve" "$LMC" serve own.lmc --speculate self
echo ROMEO >one.txt
expect_error 2 "leave it out with --batch" "$LMC" run own.lmc --batch one.txt --speculate self
expect_error 2 "--self-draft is for one process" "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --self-draft --ranks 2
expect_error 2 "this model has none: --quant q8_0" "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --self-draft --quant q4_0 -o none.lmc
[ -e none.lmc ] && fail "a refused compile left something"
expect_error 2 "--emit draft goes with --self-draft" "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --emit draft
"$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --self-draft --emit draft 2>/dev/null | grep -q "high_nibbles(" || fail "--emit draft"

# A forbidden token never comes; a favoured one always.
first=$("$LMC" run tiny.lmc --ids 2,119 -n 1 --json 2>/dev/null | sed 's/.*"ids":\[\([0-9]*\)\].*/\1/')
"$LMC" run tiny.lmc --ids 2,119 -n 1 --json --logit-bias "$first=-inf" >banned.json 2>/dev/null || fail "--logit-bias"
grep -q "\"ids\":\[$first\]" banned.json && fail "a forbidden token came"
"$LMC" run tiny.lmc --ids 2,119 -n 3 --json --logit-bias 500=1000 >always.json 2>/dev/null
expect_in always.json '"ids":[500,500,500]'
expect_error 2 "--logit-bias must be ID=BIAS" "$LMC" run tiny.lmc --ids 2 --logit-bias 5
expect_error 2 "--logit-bias must be ID=BIAS" "$LMC" run tiny.lmc --ids 2 --logit-bias 5=nan
expect_error 1 "the logit bias names token 99999" "$LMC" run tiny.lmc --ids 2 --logit-bias 99999=1
expect_error 2 "min-p must lie between" "$LMC" run tiny.lmc --ids 2 --min-p 2
expect_error 2 "the presence and frequency penalties must lie between" "$LMC" run tiny.lmc --ids 2 --presence-penalty 1e9
expect_error 2 "--repetition-window" "$LMC" run tiny.lmc --ids 2 --repetition-window -1
expect_error 2 "the repetition penalty must be above 0" "$LMC" run tiny.lmc --ids 2 --repetition-penalty 0
expect_error 2 "--speculate: magic not in" "$LMC" run tiny.lmc --ids 2 --speculate magic
expect_error 2 "--draft-min 5 is more than --draft 4" "$LMC" run tiny.lmc --ids 2 --speculate lookup --draft 4 --draft-min 5
expect_error 2 "--timeout: must be a number of 0 or more, found -1" "$LMC" run tiny.lmc --ids 2 --timeout -1

# Only ids of a file: those are chosen, the likeliest of them as if the rest were forbidden; drawn, guessed, in batches.
echo "100-140, 7 # and
3,500" >ids.txt
only() { grep -o '"ids":\[[^]]*' "$1" | sed 's/.*\[//' | tr , '\n' | awk '$1 != 3 && $1 != 7 && $1 != 500 && ($1 < 100 || $1 > 140)' | grep -q . && fail "$1 has other ids: $(head -c 300 "$1")"; }
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" -n 40 --ignore-eos --json --allowed-ids ids.txt
expect_in err.txt "44 of 2048 tokens may be chosen"
only out.txt
cp out.txt greedy.json
for id in $(seq 0 2047); do
  case $id in 3 | 7 | 500) ;; *) [ "$id" -ge 100 ] && [ "$id" -le 140 ] || echo "--logit-bias $id=-inf" ;; esac
done >forbidden.txt
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" -n 40 --ignore-eos --json $(cat forbidden.txt)
cmp -s out.txt greedy.json || fail "allowed ids are not what is left when all others are forbidden"
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" -n 40 --ignore-eos --json --temperature 2 --seed 4 $(cat forbidden.txt)
cp out.txt drawn.json
for how in "" "--speculate lookup --draft-min 4"; do
  expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" -n 40 --ignore-eos --json --temperature 2 --seed 4 --allowed-ids ids.txt $how
  cmp -s out.txt drawn.json || fail "--allowed-ids $how draws other tokens than those left by --logit-bias"
done
printf 'ROMEO:\nTo be\n' >prompts.txt
expect_ok "$LMC" run tiny.lmc --batch prompts.txt -n 20 --ignore-eos --allowed-ids ids.txt
only out.txt
echo 0-2047 >all.txt
run --json >one.json && run --json --allowed-ids all.txt >all.json
cmp -s one.json all.json || fail "all ids allowed is not the same as no set"
expect_error 1 "nowhere.txt: cannot open" "$LMC" run tiny.lmc --ids 2 --allowed-ids nowhere.txt
printf '1\n5,2048\n' >bad.txt
expect_error 1 "bad.txt:2: '2048' is not in the vocabulary of 2048" "$LMC" run tiny.lmc --ids 2 --allowed-ids bad.txt
printf '1-x\n' >bad.txt
expect_error 1 "bad.txt:1: '1-x' is no token id, nor a range" "$LMC" run tiny.lmc --ids 2 --allowed-ids bad.txt

# A time limit ends the answer, not with an error.
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" -n 100000 --timeout 0.000001
expect_in err.txt "ended by --timeout"

# An answer ends at the ids that generation_config.json lists, which take the place of config.json's.
cp -rL "$ROOT/models/tiny/gemma3" listed
expect_ok "$LMC" compile listed -o before.lmc
expect_ok "$LMC" run before.lmc --ids 2,119,166 -n 12 --json
ids=$(sed 's/.*"ids":\[\([^]]*\)\].*/\1/' out.txt)
echo "{\"eos_token_id\": [1, $(echo "$ids" | cut -d, -f7)]}" >listed/generation_config.json
expect_ok "$LMC" compile listed -o after.lmc
expect_ok "$LMC" run after.lmc --ids 2,119,166 -n 12 --json
expect_in out.txt "\"ids\":[$(echo "$ids" | cut -d, -f1-7)],"
expect_ok "$LMC" run after.lmc --ids 2,119,166 -n 12 --json --ignore-eos
expect_in out.txt "\"ids\":[$ids],"
finish
