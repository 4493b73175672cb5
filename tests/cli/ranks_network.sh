# Two ranks in network namespaces of their own, joined by a link of 1 Gb/s: the text that one rank writes, in both ways of
# dealing the model out, with latency added and without. Skipped where namespaces are not to be had (they need root and
# iproute2). With LMC_TIMINGS=1, on a machine that is quiet: tokens a second beside what `lmc price` predicts (within 20%),
# and at most 100 us a collective where no latency is added.
# Released only: mpirun and its libraries are not instrumented.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
skip() { echo "skipped: $*" && exit 77; }
for tool in ip tc mpirun mpicc unshare python3; do command -v $tool >/dev/null || skip "there is no $tool"; done
export LMC_NAMESPACE=lmc$$x
A=${LMC_NAMESPACE}1 B=${LMC_NAMESPACE}2
ip netns add $A 2>err.txt || skip "no network namespaces: $(cat err.txt)"
trap 'ip netns del $A; ip netns del $B 2>/dev/null; rm -rf "$WORK"' EXIT
ip netns add $B && ip link add "v$$a" netns $A type veth peer name "v$$b" netns $B 2>err.txt || skip "no veth: $(cat err.txt)"
join() { # NAMESPACE LINK ADDRESS
  ip -n "$1" addr add "$3/24" dev "$2" && ip -n "$1" link set "$2" up && ip -n "$1" link set lo up &&
    ip netns exec "$1" tc qdisc add dev "$2" root tbf rate 1gbit burst 256kb latency 100ms 2>err.txt
}
{ join $A "v$$a" 10.77.0.1 && join $B "v$$b" 10.77.0.2; } || skip "no link limited by tbf: $(cat err.txt)"
mpicc -shared -fPIC -O2 -o delay.so "$ROOT/tests/network/delay_messages.c" || fail "the shim that delays messages does not compile"

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# apart MICROSECONDS COMMAND…: on two ranks, so much farther from each other
apart() {
  local delay=$1 preload=
  shift
  [ "$delay" = 0 ] || preload="-x LD_PRELOAD=$WORK/delay.so"
  timeout 120 ip netns exec $A unshare -u sh -c "hostname $A; exec mpirun --host 10.77.0.1,10.77.0.2 -n 2 \
    --mca plm_rsh_agent $ROOT/tests/network/agent.sh --mca btl tcp,self --mca pml ob1 --mca btl_tcp_if_include 10.77.0.0/24 \
    --mca oob_tcp_if_include 10.77.0.0/24 --bind-to none -x OMPI_ALLOW_RUN_AS_ROOT -x OMPI_ALLOW_RUN_AS_ROOT_CONFIRM \
    -x LMC_DELAY_US=$delay $preload -x LMC_MACHINE -x LMC_CACHE_DIR $*"
}

for split in tensor layers; do
  for n in 1 2; do
    "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --ranks $n --split $split -o $split$n.lmc 2>log || fail "compile: $(cat log)"
  done
  "$LMC" run ${split}1.lmc --ids 2,119,166 -n 40 --json >one.json 2>/dev/null
  for delay in 0 300; do
    apart $delay "$LMC" run $PWD/${split}2.lmc --ids 2,119,166 -n 40 -t 1 --json >two.json 2>log ||
      fail "$split, $delay us: $(tail -3 log)"
    grep -o '"ids":\[[^]]*' one.json >one.ids && grep -o '"ids":\[[^]]*' two.json >two.ids && cmp one.ids two.ids ||
      fail "$split, $delay us: two ranks apart write another text"
  done
done
[ -n "${LMC_TIMINGS:-}" ] || finish

# A machine is shared by both: its figures, halved, are each one's. Those of the network are measured, too: an exchange
# is one message sent, one got and the way between, and what 3 kB take beyond that is the bandwidth (tbf lets through at
# once what a token sends: 1 Gb/s binds only those who send more).
unset LMC_MACHINE
model="$ROOT/models/gpt2.yaml --weights random --context 512"
mpicc -O2 -o exchange "$ROOT/tests/network/exchange.c" || fail "the exchange of messages does not compile"
small=$(apart 0 $PWD/exchange 8 2>log) && large=$(apart 0 $PWD/exchange 3072 2>log) || fail "exchange: $(tail -3 log)"
network() { # MICROSECONDS added
  python3 -c "print(f'latency={$small / 2 + $1}us,message={$small / 4}us,bandwidth={8 * 3064 / max($large - $small, 0.1):.0f}Mb')"
}
echo "an exchange of 8 bytes takes $small us, of 3,072 $large us: $(network 0)"
# Others on its host change what a machine does by the minute: the figures are those before and after.
predict() { # SPLIT MICROSECONDS FILE
  "$LMC" machine --again >/dev/null 2>&1
  "$LMC" price $model --ranks 2 --split $1 --per-machine 2 --depth 32 --network "$(network $2)" --json >"$3" 2>log ||
    fail "price: $(cat log)"
}
for split in tensor layers; do
  "$LMC" compile $model --ranks 2 --split $split -o big_$split.lmc 2>log || fail "compile: $(cat log)"
  for delay in 0 200 1000; do
    predict $split $delay before.json
    apart $delay "$LMC" bench $PWD/big_$split.lmc -p 0 -n 64 -r 5 -t 1 -o json >bench.json 2>log ||
      fail "$split, $delay us: $(tail -3 log)"
    predict $split $delay after.json
    python3 - $split $delay <<'P' || fail "$split, $delay us: not what was predicted"
import json, sys
split, delay = sys.argv[1], float(sys.argv[2])
got = json.load(open('bench.json'))['results'][0]['tokens_per_second']['median']
prices = [json.load(open(f'{when}.json'))['prices'][0] for when in ('before', 'after')]
p, rates = prices[0], [price['decode_tokens_per_second'] for price in prices]
want = 2 / sum(1 / rate for rate in rates)
print(f'{split:6}, {delay:4.0f} us added: {got:6.1f} tokens/s, predicted {want:6.1f} ({rates[0]:.1f} before, {rates[1]:.1f} after: '
      f'{100 * (got / want - 1):+.0f}%), '
      f'{p["collectives"]} collectives, of which the network is {1e3 * p["network_seconds"]:.2f} ms')
sys.exit(abs(got / want - 1) > 0.2)
P
  done
done
apart 0 "$LMC" profile $PWD/big_tensor.lmc -p 8 -n 64 -t 1 --json >profile.json 2>log || fail "profile: $(tail -3 log)"
python3 - <<'P' || fail "collectives take more than 100 us"
import json, sys
parts = [c for c in json.load(open('profile.json'))['collectives'] if c['part'] in ('attention', 'ffn')]
worst = max(1e3 * (c['ms_per_step'] - c['waiting_ms_per_step']) / c['calls_per_step'] for c in parts)
print(f'a collective of the layers takes {worst:.0f} us, beside waiting')
sys.exit(worst > 100)
P
finish
