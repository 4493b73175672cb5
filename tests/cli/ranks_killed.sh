# Any rank killed at any moment, starting, loading, feeding or decoding: the others end within 10 s, nobody is left behind,
# and nothing is written. LMC_KILLS says how often (6).
# Released only: mpirun and its libraries are not instrumented.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
"$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --ranks 4 -o r4.lmc 2>log || fail "compile: $(cat log)"
if "$LMC" run r4.lmc --prompt x 2>&1 | grep -q 'without MPI'; then
  echo "built without MPI"
  exit 77
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
for i in $(seq 400); do echo "KING $i:"; done >many.prompts
files() { find . -newer many.prompts -type f ! -name log ! -name out | sort; }
RANDOM=${LMC_KILL_SEED:-$$}
seed=$RANDOM
RANDOM=$seed
ended=0
# Does it run? (Who is not waited for by whoever inherits it is gone all the same.)
alive() { grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status"; }
for i in $(seq "${LMC_KILLS:-6}"); do
  rank=$((RANDOM % 4)) wait_ms=$((RANDOM % 2500))
  mpirun --oversubscribe --bind-to none -n 4 "$LMC" run r4.lmc --batch many.prompts --max-tokens 400 --ignore-eos -t 1 \
    >out 2>log &
  started=$! all=""
  for _ in $(seq 200); do
    all=$(pgrep -P $started | xargs)
    [ "$(wc -w <<<"$all")" -ge 4 ] && break
    sleep 0.05
  done
  sleep "$(printf '0.%03d' $((wait_ms % 1000)))"
  sleep $((wait_ms / 1000))
  victim=$(for p in $all; do
    tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$rank" && echo "$p"
  done)
  what="kill $i of rank $rank after $wait_ms ms (seed $seed)"
  [ -n "$victim" ] || { fail "$what: no such rank: $(tail -3 log)" && kill $started && continue; }
  begin=$(date +%s)
  kill -KILL "$victim"
  wait $started && fail "$what: all went well without it"
  for p in $started $all; do
    while alive "$p"; do
      [ $(($(date +%s) - begin)) -le 10 ] || { fail "$what: process $p is left behind" && kill -KILL "$p"; }
      sleep 0.1
    done
  done
  [ $(($(date +%s) - begin)) -le 10 ] || fail "$what: the others went on for more than 10 s"
  [ -z "$(files)" ] || fail "$what: written: $(files)"
  ended=$((ended + 1))
done
"$LMC" inspect r4.lmc --verify >/dev/null || fail "the bundle is not what it was"
echo "$ended ranks killed (seed $seed)"
finish
