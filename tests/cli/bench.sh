# The measuring commands: shapes and ranges of what they print, never how fast anything is.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
own_cache
. "$ROOT/tests/cli/ranges.sh.inc"
export TMPDIR=$WORK

expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc

# bench: JSON, one row for each of threads × (prompts + depths).
expect_ok "$LMC" bench tiny.lmc -p 8,16 -n 4 -d 0,32 -t 1,2 -r 2 -o json
[ "$(wc -l <out.txt)" -eq 1 ] || fail "JSON prints more than one object"
expect_range decode_fraction_of_read_bandwidth 0 1 out.txt
expect_range read_bandwidth_gb_s 0 100000 out.txt
expect_range p99_over_p50 0.99999 1e9 out.txt
expect_range load_ms 0 1e6 out.txt
expect_range cold 0 1e6 out.txt
expect_range warm 0 1e6 out.txt
expect_range peak_memory_bytes 1e6 1e12 out.txt
grep -q '^{"decode_fraction_of_read_bandwidth":[^{]*"results":\[' out.txt || fail "top-level keys: $(head -c 200 out.txt)"
[ "$(grep -o '"test":' out.txt | wc -l)" -eq 8 ] || fail "not 8 rows: $(cat out.txt)"
for test in pp8 pp16 tg4@d0 tg4@d32; do expect_in out.txt "\"test\":\"$test\""; done

# This machine's figures are those that a file says, or measured on the way, once; a file in the cache folder
# that cannot be used is replaced.
[ -e "$LMC_CACHE_DIR/machine-2t.json" ] && fail "measured in spite of LMC_MACHINE"
expect_ok "$LMC" machine --json
expect_in out.txt '"read_all": 25000000000.0'
expect_error 1 "LMC_MACHINE=nowhere: nowhere: cannot open" env LMC_MACHINE=nowhere "$LMC" machine
expect_error 1 "LMC_MACHINE=nowhere: nowhere: cannot open" env LMC_MACHINE=nowhere "$LMC" compile "$ROOT/models/tiny/gemma3.yaml"
given=$LMC_MACHINE
unset LMC_MACHINE
expect_ok "$LMC" bench tiny.lmc -p 8 -n 4 -t 2 -r 1
[ -s "$LMC_CACHE_DIR/machine-2t.json" ] || fail "no machine-2t.json in the cache folder"
expect_ok "$LMC" machine -t 2 --json
cp out.txt figures.json
expect_ok "$LMC" machine -t 2 --json
cmp -s out.txt figures.json || fail "the figures were measured again: $(cat out.txt)"
sed -i 's/": /":/' out.txt
for key in read_one read_all f32_one f32_block int8_one int8_block attend row exp buffers call cold launch step_start; do expect_range $key 0 1e15 out.txt; done
grep -q '"from_memory":\[$' out.txt || fail "not said what comes from memory: $(cat out.txt)"
echo '{"format":1}' >"$LMC_CACHE_DIR/machine-2t.json"
expect_ok "$LMC" machine -t 2
expect_in out.txt "starting a step"
grep -q '"cpu"' "$LMC_CACHE_DIR/machine-2t.json" || fail "not measured again"

# Where there is a matrix unit, whether it pays is measured once, too.
if "$LMC" --version | grep -q amx; then
  expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o native.lmc
  expect_in err.txt "times as fast as avx512-vnni here: taking"
  expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o native.lmc
  grep -q "times as fast" err.txt && fail "measured again: $(cat err.txt)"
fi
export LMC_MACHINE=$given

# Whoever runs the stages: the same tokens.
for scheduler in auto flow-graph in-order shuffled; do
  expect_ok "$LMC" run tiny.lmc --ids 2,119,166 --max-tokens 20 -t 2 --json --scheduler $scheduler
  cp out.txt $scheduler.json
  cmp -s auto.json $scheduler.json || fail "--scheduler $scheduler changes the tokens"
done
expect_ok "$LMC" bench tiny.lmc -p 8 -n 4 -r 1 -t 2 --scheduler in-order -o csv
expect_error 2 "shuffled" "$LMC" run tiny.lmc --scheduler fastest

# The other forms; --json is -o json; the newest bundle is the default.
expect_ok "$LMC" bench -p 8 -n 4 -r 1 -t 1 -o csv
[ "$(wc -l <out.txt)" -eq 3 ] || fail "CSV has not a header and 2 rows: $(cat out.txt)"
[ "$(awk -F, '{ print NF }' out.txt | sort -u | wc -l)" -eq 1 ] || fail "CSV rows differ in columns: $(cat out.txt)"
expect_ok "$LMC" bench tiny.lmc -p 0 -n 4 -r 1 -t 1 -o md
expect_in out.txt "| tiny.lmc | 1 | tg4@d0 |"
expect_in out.txt "read bandwidth GB/s"
grep -q "pp0" out.txt && fail "-p 0 is a test"
expect_ok "$LMC" bench tiny.lmc -p 8 -n 0 -r 1 -t 1 --json
expect_in out.txt '"decode_fraction_of_read_bandwidth":null'

# Wrong usage names the numbers.
expect_error 2 "-p 513 exceeds the context of tiny.lmc, 512" "$LMC" bench tiny.lmc -p 8,513
expect_error 2 "-d 500 and -n 13 together exceed the context of tiny.lmc, 512" "$LMC" bench tiny.lmc -n 13 -d 0,500
expect_error 2 "leave nothing to measure" "$LMC" bench tiny.lmc -p 0 -n 0
expect_error 2 "--threads" "$LMC" bench tiny.lmc -t 0
expect_error 2 "--output" "$LMC" bench tiny.lmc -o yaml
expect_error 2 "--model goes with --ab" "$LMC" bench tiny.lmc --model x.yaml
expect_error 1 "there is no such bundle" "$LMC" bench nowhere.lmc

# A/B: two bundles, two sets of flags.
expect_ok "$LMC" bench --ab tiny.lmc tiny.lmc -p 8 -n 4 -r 3 -t 1
expect_in out.txt "tg4@d0"
expect_in out.txt "Student's t"
expect_error 2 "--flags goes with --ablate" "$LMC" bench tiny.lmc --flags "--quant none"
expect_error 2 "neither a bundle nor --model" "$LMC" bench tiny.lmc --ablate x.yaml
expect_error 1 "x.yaml" "$LMC" bench --ablate x.yaml
expect_error 2 "--ab measures -p, -n and -b, not -m" "$LMC" bench --ab tiny.lmc tiny.lmc -m 2
expect_ok "$LMC" bench tiny.lmc -p 0 -n 2 -m 2,7 -r 1 -t 1 --json
expect_in out.txt '"test":"vf7@d0"'
# Sequences at once, each with its cache: a row for each number and depth, tokens of all of them.
expect_ok "$LMC" bench tiny.lmc -p 0 -n 0 -b 1,3 -d 0,20 -r 1 -t 1 --json
for test in sq1@d0 sq3@d0 sq1@d20 sq3@d20; do expect_in out.txt "\"test\":\"$test\""; done
expect_in out.txt '"step_ms":{"p50":'
expect_ok "$LMC" bench tiny.lmc -p 0 -n 0 -b 3 -d 511 -r 1 -t 1 -o csv
expect_in out.txt '"tiny.lmc",1,sq3@d511,3,511,'
[ "$(awk -F, '{ print NF }' out.txt | sort -u | wc -l)" -eq 1 ] || fail "CSV rows differ in columns: $(cat out.txt)"
expect_ok "$LMC" bench tiny.lmc -p 0 -n 0 -b 2 -r 1 -t 1
expect_in out.txt "| tiny.lmc | 1 | sq2@d0 |"
expect_ok "$LMC" bench --ab tiny.lmc tiny.lmc -p 0 -n 0 -b 3 -d 5 -r 2 -t 1
expect_in out.txt "sq3@d5 "
expect_ok "$LMC" bench --ab tiny.lmc tiny.lmc -p 8 -n 4 -b 3 -r 2 -t 1 --json
expect_in out.txt '"sequences":{"a_tokens_per_second":'
expect_error 2 "-b 4096: a step of tiny.lmc takes at most" "$LMC" bench tiny.lmc -p 0 -n 0 -b 2,4096
expect_error 2 "-d 512 leaves no token" "$LMC" bench tiny.lmc -p 0 -n 0 -b 2 -d 512
expect_error 2 "--sequences" "$LMC" bench tiny.lmc -b 0
expect_error 2 "--ab takes one value of -b" "$LMC" bench --ab tiny.lmc tiny.lmc -b 1,2
expect_error 2 "not -b" "$LMC" bench --ablate "$ROOT/models/tiny/gemma3.yaml" -b 2
expect_error 2 "-d 510 and -m 3 together exceed" "$LMC" bench tiny.lmc -p 0 -n 1 -d 510 -m 3
expect_error 2 "is one too many" "$LMC" bench tiny.lmc --ab tiny.lmc tiny.lmc
expect_error 2 "--ab takes one value of -d" "$LMC" bench --ab tiny.lmc tiny.lmc -d 0,1
expect_error 2 "--ab" "$LMC" bench --ab tiny.lmc
expect_error 2 "exceeds the context" "$LMC" bench --ab tiny.lmc tiny.lmc -p 600
expect_error 1 "unknown format 'nix'" "$LMC" bench --ab "--quant nix" "" --model "$ROOT/models/tiny/gemma3.yaml"
expect_error 1 "there is no such bundle" "$LMC" bench --ab tiny.lmc nowhere.lmc

[ -z "$(find "$WORK" -maxdepth 1 \( -name 'lmc-*' -o -name '*.tmp-*' \))" ] || fail "something was left behind: $(ls)"
finish
