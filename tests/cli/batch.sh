# lmc run --batch: many prompts in one decode, each with the tokens it gets alone.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc

# Prompts of one token to several windows of the sliding layers; some end at once, some late.
{
  printf 'R\n%s\nO, what a rogue\n' "$(printf 'To be or not to be, %.0s' $(seq 30))"
  printf 'JULIET: Ay me!\nROMEO:\n\xf0\x9f\x8e\xad "quoted" \\ \xc3\xa9\n'
  for i in $(seq 4); do printf 'SCENE %s. %s\n' "$i" "$(printf 'Enter a king. %.0s' $(seq $((i * i * 2))))"; done
} >prompts.txt
for how in "-n 25 --ignore-eos" "-n 40 --temperature 0.9 --top-k 30 --seed 7 --repetition-penalty 1.3 --stop king"; do
  while IFS= read -r prompt; do
    "$LMC" run tiny.lmc --prompt "$prompt" --json $how 2>/dev/null </dev/null
  done <prompts.txt >alone.txt
  for batch in "--batch-size 1" "--batch-size 3 --block 5 -t 2" "--batch-size 64 -t 1"; do
    "$LMC" run tiny.lmc --batch prompts.txt $batch $how >batch.txt 2>err.txt || fail "--batch $batch: $(cat err.txt)"
    cmp -s batch.txt alone.txt || fail "--batch $batch $how differs from one by one"
  done
  expect_in err.txt "10 prompts, 10 at a time: "
  expect_in err.txt "tokens/s in all"
done
"$LMC" run tiny.lmc --batch prompts.txt -n 0 >batch.txt 2>err.txt || fail "-n 0: $(cat err.txt)"
[ "$(grep -c '"ids":\[\],"text":""' batch.txt)" -eq 10 ] || fail "-n 0: $(cat batch.txt)"
"$LMC" run tiny.lmc --batch prompts.txt -n 5 >batch.txt 2>err.txt
expect_in err.txt "10 prompts, 8 at a time: 50 tokens"
LMC_LOG=debug "$LMC" run tiny.lmc --batch prompts.txt -n 25 --ignore-eos >/dev/null 2>err.txt || fail "LMC_LOG=debug"
expect_in err.txt ": 8 tokens" # one of each
expect_in err.txt ": 64 tokens" # with those of prompts

# JSON lines, and files that are none.
printf '{"prompt": "ROMEO:"}\n{"prompt": "two\\nlines"}\n' >prompts.jsonl
"$LMC" run tiny.lmc --batch prompts.jsonl -n 5 >batch.txt 2>err.txt || fail "--batch of JSON lines"
[ "$(wc -l <batch.txt)" -eq 2 ] || fail "--batch: $(cat batch.txt)"

# One bad line fails alone: its record says why, and the exit code that there was one.
{
  echo '{"prompt": "ROMEO:", "max_tokens": 2, "id": 7}'
  echo 'x'
  echo '{"prompt": "ROMEO:", "max_tokens": "2"}'
  printf '{"prompt": "%s"}\n' "$(printf 'To be or not to be, %.0s' $(seq 300))"
  echo
  echo '{"prompt": "ROMEO:", "max_tokens": 0}'
  echo '{"prompt": "two\nlines"}'
  echo '{"prompt": ""}'
} >some.jsonl
"$LMC" run tiny.lmc --batch some.jsonl -n 5 >some.txt 2>err.txt </dev/null
[ $? -eq 1 ] || fail "bad lines are no failure: $(cat err.txt)"
expect_in err.txt "some.jsonl: 5 of 8 prompts failed"
expect_in err.txt 'some.jsonl:2: is not {"prompt"'
python3 - some.txt batch.txt <<'P' || fail "bad lines: $(cut -c 1-200 some.txt)"
import json, sys
lines, good = ([json.loads(l) for l in open(f)] for f in sys.argv[1:])
assert len(lines) == 8
why = [l.get("error", "") for l in lines]
assert why[0] == "" and len(lines[0]["ids"]) == 2 and lines[0]["stop_reason"] == "max_tokens"
assert why[1] == 'some.jsonl:2: is not {"prompt": "…"}', why[1]
assert why[2] == "some.jsonl:3: max_tokens must be a whole number of 0 or more, or -1", why[2]
assert why[3].startswith("some.jsonl:4: the prompt has ") and "512" in why[3], why[3]
assert why[4] == "some.jsonl:5: is empty: every line must be a prompt", why[4]
assert why[5] == "" and lines[5]["ids"] == []
assert lines[6] == good[1]
assert why[7] == "some.jsonl:8: the prompt is empty", why[7]
P
# From standard input: text, or JSON where it begins with a brace.
printf 'ROMEO:\ntwo lines\n' >two.txt
"$LMC" run tiny.lmc --batch two.txt -n 5 >batch.txt 2>/dev/null
"$LMC" run tiny.lmc --batch - -n 5 <two.txt >some.txt 2>err.txt || fail "--batch -: $(cat err.txt)"
cmp -s batch.txt some.txt || fail "--batch - says $(cat some.txt)"
"$LMC" run tiny.lmc --batch prompts.jsonl -n 5 >batch.txt 2>/dev/null
"$LMC" run tiny.lmc --batch - -n 5 <prompts.jsonl >some.txt 2>err.txt || fail "--batch - of JSON: $(cat err.txt)"
cmp -s batch.txt some.txt || fail "--batch - says $(cat some.txt)"
: | "$LMC" run nowhere.lmc --batch - 2>err.txt
expect_in err.txt "standard input: holds no prompts"
printf 'a\n\nb\n' >gap.txt
expect_error 1 "gap.txt:2: is empty" "$LMC" run tiny.lmc --batch gap.txt -n 3
[ "$(wc -l <out.txt)" -eq 3 ] || fail "a gap costs others: $(cat out.txt)"
: >empty.txt
expect_error 1 "empty.txt: holds no prompts" "$LMC" run tiny.lmc --batch empty.txt
expect_error 1 "none.txt" "$LMC" run tiny.lmc --batch none.txt

# Flags that make no sense.
expect_error 2 "--prompt excludes --batch" "$LMC" run tiny.lmc --batch prompts.txt --prompt x
expect_error 2 "--draft-min 5 is more than --draft 4" "$LMC" run tiny.lmc --batch prompts.txt --speculate lookup --draft 4 --draft-min 5
expect_error 2 "--batch-size requires --batch" "$LMC" run tiny.lmc --prompt x --batch-size 4
expect_error 2 "--batch-size: Value 0 not in range" "$LMC" run tiny.lmc --batch prompts.txt --batch-size 0
expect_error 2 "--batch-size 65: a step of this bundle takes at most 64 prompts" \
  "$LMC" run tiny.lmc --batch prompts.txt --batch-size 65
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --block 1 -o single.lmc
expect_error 2 "at most 1 prompts" "$LMC" run single.lmc --batch prompts.txt --batch-size 2
"$LMC" run single.lmc --batch prompts.txt -n 3 >batch.txt 2>err.txt || fail "a bundle without blocks: $(cat err.txt)"
[ "$(wc -l <batch.txt)" -eq 10 ] || fail "a bundle without blocks: $(cat batch.txt)"
if [ -w /dev/full ]; then
  "$LMC" run tiny.lmc --batch prompts.txt -n 3 >/dev/full 2>err.txt
  [ $? -eq 1 ] || fail "a full disk: $(cat err.txt)"
  expect_in err.txt "cannot write to standard output"
fi

# A time limit is each prompt's own, and no error.
"$LMC" run tiny.lmc --batch prompts.txt --timeout 0.000000001 >batch.txt 2>err.txt || fail "--timeout: $(cat err.txt)"
[ "$(grep -c '"ids":\[\]' batch.txt)" -eq 10 ] || fail "--timeout: $(cat batch.txt)"
expect_in err.txt "10 ended by --timeout"

# Guesses change no token, and the second time a prompt is there, its answer is known.
for how in "--temperature 0" "--temperature 0.8 --seed 3"; do
  cat prompts.txt prompts.txt >double.txt
  "$LMC" run tiny.lmc --batch double.txt --batch-size 3 -n 40 --ignore-eos $how >batch.txt 2>/dev/null || fail "each prompt twice"
  for draft in "" "--draft 3 --draft-min 3"; do
    "$LMC" run tiny.lmc --batch double.txt --batch-size 3 -n 40 --ignore-eos $how --speculate lookup $draft >guessed.txt 2>err.txt ||
      fail "--batch --speculate: $(cat err.txt)"
    cmp -s batch.txt guessed.txt || fail "--batch --speculate lookup $draft $how changes the answers"
    expect_in err.txt "guessed tokens accepted"
  done
done

# Ctrl-C: what has been printed is whole lines of the first prompts.
for i in $(seq 20); do cat prompts.txt; done >many.txt
"$LMC" run tiny.lmc --batch many.txt -n 40 --ignore-eos >all.txt 2>/dev/null || fail "many prompts"
[ "$(wc -l <all.txt)" -eq 200 ] || fail "many prompts: $(wc -l <all.txt)"
rm -f some.txt # of above
"$LMC" run tiny.lmc --batch many.txt -n 40 --ignore-eos >some.txt 2>err.txt &
pid=$!
for i in $(seq 500); do
  [ -s some.txt ] && break
  sleep 0.01
done
interrupt $pid
wait $pid
[ $? -eq 130 ] || fail "Ctrl-C: $(tail -n 1 err.txt)"
grep -v '"stop_reason":"interrupted"' some.txt >whole.txt
cmp -s whole.txt <(awk -v n="$(wc -l <some.txt)" 'NR == FNR {cut[NR] = /"interrupted"/; next} FNR <= n && !cut[FNR]' some.txt all.txt) ||
  fail "after Ctrl-C other lines than the first were printed"
expect_in err.txt "lmc: interrupted"
finish
