# What README.md says of memory: compiling needs little whatever the model's size, running the weights and little more.
# Released only: AddressSanitizer's own memory would be counted.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"

# peak COMMAND…: prints the greatest resident memory of the command in MB.
peak() {
  python3 - "$@" <<'P'
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1000)
sys.exit(code)
P
}
compile=$(peak "$LMC" compile "$ROOT/models/gemma3.yaml" --size 270m --weights random --context 4096 --no-verify -o m.lmc 2>err.txt) || fail "compile: $(tail -n 2 err.txt)"
run=$(peak "$LMC" run m.lmc --ids 2,3,4,5,6,7,8,9 --max-tokens 16 --ignore-eos 2>err.txt) || fail "run: $(tail -n 2 err.txt)"
weights=$(($(stat -c %s m.lmc/weights.safetensors) / 1000000))
[ "$weights" -gt 280 ] || fail "weights of $weights MB are not those of the table"
[ "$compile" -le 160 ] || fail "compile took $compile MB, the table says 125"
[ "$run" -le $((weights + 110)) ] || fail "run took $run MB for weights of $weights MB, the table says 359 for 285"
echo "compile $compile MB, run $run MB, weights $weights MB"
finish
