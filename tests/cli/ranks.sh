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
"$LMC" inspect r2.lmc --verify >/dev/null || fail "inspect --verify of a bundle for two ranks"
"$LMC" compile "$MODEL" --ranks 2 --rank 1 --emit opt >rank1.lmir 2>/dev/null || fail "--emit opt of one rank"
grep -q 'all_gather(%[^,]*) {sizes=\[[0-9,]*\], rank=1}' rank1.lmir || fail "rank 1 gathers nothing"
"$LMC" compile "$MODEL" --ranks 2 --emit opt --check >both.lmir 2>both.log || fail "--check of two ranks: $(tail -1 both.log)"
grep -q 'check shard (exact' both.log || fail "the pass was not checked"

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
