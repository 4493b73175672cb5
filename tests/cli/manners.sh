# What is typed wrong is said at once, with what was probably meant; what llama.cpp's users type works.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
TINY=$ROOT/models/tiny/gemma3.yaml

# Words that nobody knows.
expect_error 2 "lmc: unknown command 'comple'; did you mean compile?" "$LMC" comple
expect_error 2 "lmc: unknown command 'nonsense'; lmc --help lists them" "$LMC" nonsense
expect_error 2 "lmc run: unknown flag '--promt'; did you mean --prompt?" "$LMC" run x.lmc --promt=a
expect_error 2 "lmc run: unknown flag '-z'" "$LMC" run x.lmc -z 1
expect_error 2 "lmc inspect: 'b' is one word too many" "$LMC" inspect a b

# Limits are said in numbers that people read, before anything is loaded.
expect_error 2 "must be a number of 0 or more, found -1" "$LMC" run x.lmc --timeout -1
expect_error 2 "must be a number above 0, found 0" "$LMC" compile x.yaml --context 0
expect_error 2 "must be a whole number of 0 or more, or -1, found -2" "$LMC" run x.lmc --seed -2
expect_error 2 "found 1.5" "$LMC" run x.lmc --seed 1.5
for words in "run x.lmc --timeout -1" "run x.lmc -n -2" "run x.lmc -n x" "compile x.yaml --context 0" "bench x.lmc --rounds 0"; do
  "$LMC" $words >out.txt 2>err.txt && fail "taken: $words"
  grep -qE '[0-9]{20}' err.txt && fail "$words: $(cat err.txt)"
done

# No prompt is no wish for the example's.
expect_ok "$LMC" compile "$TINY" -o tiny.lmc
expect_error 2 "--ids is empty" "$LMC" run tiny.lmc --ids ""
expect_error 2 "standard input is empty" "$LMC" run tiny.lmc
expect_error 2 "standard input is empty" "$LMC" run nowhere.lmc
: >empty.txt
expect_error 2 "--file empty.txt: is empty" "$LMC" run nowhere.lmc -f empty.txt

# As llama.cpp's users type it.
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" --max-tokens 8 --temperature 0.8 --seed 7
cp out.txt long.txt
echo "ROMEO:" >prompt.txt
expect_ok "$LMC" run -m tiny.lmc -p "ROMEO:" -n 8 --temp 0.8 -s 7
cmp -s out.txt long.txt || fail "short flags say '$(cat out.txt)', long ones '$(cat long.txt)'"
expect_ok "$LMC" run -m tiny.lmc -f prompt.txt -n 8 --temp 0.8 -s 7
cmp -s out.txt long.txt || fail "a file's prompt says '$(cat out.txt)'"
expect_error 2 "excludes" "$LMC" run tiny.lmc -m tiny.lmc -p x
expect_ok "$LMC" run tiny.lmc -p "ROMEO:" -n -1 --temp 0 --ignore-eos --json
python3 -c 'import json; d = json.load(open("out.txt")); n = len(d["ids"]) + len(d["prompt_ids"]); assert 512 <= n <= 513, n' || fail "-n -1 stops early"
expect_ok "$LMC" run tiny.lmc -p "ROMEO:" -n 8 --temp 1 -s -1
seed=$(sed -n 's/.*--seed \([0-9]*\).*/\1/p' err.txt)
cp out.txt drawn.txt
expect_ok "$LMC" run tiny.lmc -p "ROMEO:" -n 8 --temp 1 -s "$seed"
cmp -s out.txt drawn.txt || fail "--seed $seed is not the seed that was said"

# A bundle of another model is not replaced without a word.
expect_ok "$LMC" compile "$TINY" -o tiny.lmc
grep -q "replaced" err.txt && fail "the same model: $(cat err.txt)"
expect_ok "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" -o tiny.lmc
expect_in err.txt "tiny.lmc will be replaced: it is a bundle of "

# A rule that fits nothing is a mistake of the user's, not of a pass: nothing to replay.
expect_error 1 "'ffn_dwon=q4_k' fits no projection or table; roles here: " "$LMC" compile "$TINY" --quant q8_0,ffn_dwon=q4_k -o no.lmc
[ -e repro.lmir ] && fail "a typo left repro.lmir"
[ -e no.lmc ] && fail "a bundle was written"
finish
