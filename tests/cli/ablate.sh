# What passes are worth and what the machine can do: shapes and ranges of what is printed, never how fast anything is.
# Released only: twenty compilations and the machine's memory are measured.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
own_cache
. "$ROOT/tests/cli/ranges.sh.inc"
export TMPDIR=$WORK

expect_ok "$LMC" bench --ab "--quant none" "" --model "$ROOT/models/tiny/gemma3.yaml" -p 8 -n 4 -r 2 -t 1 --json
expect_range ratio 0 1000 out.txt
expect_range ratio_low 0 1000 out.txt
expect_in out.txt '"prefill":'
# Ablation: a row per pass at work, those the model does not compile without among them.
expect_ok "$LMC" bench --ablate "$ROOT/models/tiny/gemma3.yaml" -p 8 -n 4 -r 2 -t 1
for pass in nothing fuse-qkv fuse-gate-up quantize; do expect_in out.txt "$pass"; done
expect_in out.txt "kernels/token"
expect_ok "$LMC" bench --ablate "$ROOT/models/tiny/gemma3.yaml" --flags "--quant none" -p 8 -n 4 -r 2 -t 1 --json
expect_range gain 0 1000 out.txt
expect_range kernels_per_token 1 10000 out.txt
expect_range predicted_ms_per_block 0 1e6 out.txt
expect_range predicted_decode_gain 0 1000 out.txt
expect_range predicted_prefill_gain 0 1000 out.txt
grep -q '"pass":"quantize"' out.txt && fail "quantize does nothing under --quant none, but is listed"

# membw
expect_ok "$LMC" membw --size 2M -r 1 --json
expect_range read_bandwidth_gb_s 0 100000 out.txt
expect_in out.txt '"fits_in_cache":true'
expect_ok "$LMC" membw --size 1M -r 1 -t 1
expect_in out.txt "read bandwidth"
expect_in out.txt "mapped read-only"
expect_error 2 "--size" "$LMC" membw --size 12

# crossover
expect_ok "$LMC" crossover --dims 32,64 -t 1 --output host.json
expect_in out.txt "BF16 is not measured"
expect_in host.json '"min_dim"'
expect_in host.json '"q8_0_us"'
expect_ok "$LMC" crossover --dims 32 -t 1 --json
[ -s "$LMC_CACHE_DIR/host.json" ] || fail "no host.json in the cache folder"
expect_in out.txt '"linear_crossover":{'
expect_error 1 "nowhere/host.json" "$LMC" crossover --dims 32 -t 1 --output nowhere/host.json
expect_error 2 "--dims" "$LMC" crossover --dims 0

[ -z "$(find "$WORK" -maxdepth 1 \( -name 'lmc-*' -o -name '*.tmp-*' \))" ] || fail "something was left behind: $(ls)"
finish
