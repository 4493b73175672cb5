# The embedded models from YAML to text, with the contracts programs rely on.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"

expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
expect_in err.txt "fused 6 QKV triples"
expect_in err.txt "fused 6 gate+up pairs"
expect_in err.txt "quantized 19 of 43 projections to Q8_0"
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" --max-tokens 20 --temperature 0
[ -s out.txt ] || fail "no text"

# The newest bundle of the folder is the default.
sleep 0.1
expect_ok "$LMC" compile "$ROOT/models/tiny/gpt2.yaml"
[ -d gpt2.lmc ] || fail "no gpt2.lmc"
expect_ok "$LMC" run --prompt "ROMEO:" --max-tokens 10 --json
python3 - out.txt <<'P' || fail "--json: $(cat out.txt)"
import json,sys
d=json.load(open(sys.argv[1])); assert set(d)=={"prompt_ids","ids","text","stop_reason","usage"} and len(d["ids"])==10
assert d["stop_reason"]=="max_tokens" and d["usage"]=={"prompt_tokens":len(d["prompt_ids"]),"completion_tokens":10}
P

# The same bytes for any number of threads.
for t in 1 2 4; do
  "$LMC" run tiny.lmc --ids 2,119,166 --max-tokens 16 --temperature 0 --json --threads $t >run.$t 2>/dev/null || fail "run with $t threads"
  "$LMC" eval tiny.lmc --ids 2,119,166 --json --threads $t >eval.$t 2>/dev/null || fail "eval with $t threads"
  "$LMC" run tiny.lmc --ids 2,119,166 --max-tokens 16 --temperature 1 --top-k 40 --seed 7 --json --threads $t >draw.$t 2>/dev/null
done
for k in run eval draw; do
  cmp -s $k.1 $k.2 && cmp -s $k.1 $k.4 || fail "$k differs between threads"
done
[ "$(wc -l <run.1)" -eq 1 ] || fail "--json prints more than one object"
expect_in run.1 '{"prompt_ids":[2,119,166],"ids":['
expect_in eval.1 '{"argmax":['

# Prefill in blocks and token by token.
"$LMC" eval tiny.lmc --ids 2,119,166,7,8,9,10 --json --block 1 >b1 2>/dev/null
"$LMC" eval tiny.lmc --ids 2,119,166,7,8,9,10 --json --block 3 >b3 2>/dev/null
cmp -s b1 b3 || fail "the block changes results"
# … over several chunks of the cache, by several threads.
long=$(seq -s, 2 401)
"$LMC" eval tiny.lmc --ids "$long" --json --block 1 --threads 1 >l1 2>/dev/null || fail "400 tokens one by one"
"$LMC" eval tiny.lmc --ids "$long" --json --block 64 --threads 2 >l64 2>/dev/null || fail "400 tokens in blocks"
"$LMC" eval tiny.lmc --ids "$long" --json --block 5 --threads 4 >l5 2>/dev/null || fail "400 tokens in blocks of 5"
cmp -s l1 l64 && cmp -s l1 l5 || fail "a long context depends on blocks or threads"
"$LMC" eval tiny.lmc --ids "$long" --json --no-mmap >read 2>/dev/null || fail "weights that are read"
cmp -s l1 read || fail "weights that are read give other results than those that are mapped"

# Standard input is the prompt when it is piped.
printf 'JULIET:' | "$LMC" run tiny.lmc --max-tokens 5 --temperature 0 >piped.txt 2>/dev/null || fail "piped prompt"
grep -q '^JULIET:' piped.txt || fail "piped prompt is not shown"

# Everything in between can be looked at.
mkdir emitted && cd emitted || exit 1
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --emit decode --set form-kernels.prefetch=2
expect_in out.txt "prefetch=2"
expect_error 1 "form-kernels.prefetch must be a number of 0 to 2, found '3'" "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --set form-kernels.prefetch=3
for e in graph opt plan llvm asm; do
  expect_ok "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" --emit=$e
  [ -s out.txt ] || fail "--emit=$e prints nothing"
  cp out.txt printed.txt
  expect_ok "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" --emit=$e -o emitted.txt
  cmp -s printed.txt emitted.txt || fail "--emit=$e -o FILE is not what --emit=$e prints"
  [ -e gpt2.lmc ] && fail "--emit=$e wrote a bundle"
done
cd ..
expect_ok "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" --emit=opt --dump-ir dumps --print-ir-before=fuse-qkv --print-ir-after=all
[ -f dumps/000.import.lmir ] && [ -f dumps/002.fuse-qkv.after.lmir ] || fail "dumps: $(ls dumps)"
expect_ok "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" --emit=opt --dump-ir all --dump-scope=all
expect_ok "$LMC" opt all/001.canonicalise.after.lmir --passes=fuse-qkv,quantize
expect_in out.txt "role=attn_qkv"
expect_in out.txt "q8_0"
expect_ok "$LMC" passes
expect_in out.txt "fuse-gate-up"
expect_ok "$LMC" ops
expect_in out.txt "rms_norm: x / sqrt(mean(x^2) + eps) * (w + offset)"

# A compile that is interrupted leaves nothing; the old bundle stays.
before=$(cat tiny.lmc/manifest.json)
for after in 0.4 0.8 1.4; do
  "$LMC" compile "$ROOT/models/gemma3.yaml" --weights random -o tiny.lmc >/dev/null 2>err.txt &
  pid=$!
  sleep $after
  interrupt $pid
  wait $pid
  code=$?
  [ $code -eq 130 ] || fail "Ctrl-C after $after s: exit code $code ($(tail -n 1 err.txt))"
  [ "$(cat tiny.lmc/manifest.json)" = "$before" ] || fail "Ctrl-C damaged the old bundle"
  [ -z "$(ls -d ./*.tmp-* 2>/dev/null)" ] || fail "Ctrl-C left $(ls -d ./*.tmp-*)"
done
finish
