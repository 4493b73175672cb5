# GGUF: what is exported compiles to the same results, and what is wrong is one message.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
GOLDEN=$ROOT/tests/data/golden

# eval_of BUNDLE: argmax and logits of a few tokens.
eval_of() { "$LMC" eval "$1" --ids 1,17,42,99,7,3,255,80,81,82,83,84 --json 2>>err.txt || fail "eval $1"; }

# Out and back through the command line; a file is recognised without naming its model file. What is written is
# what the checkpoint has, so writing it again changes nothing; f32 in, the same bits out.
for m in gpt2-a gemma3-c llama-b mixtral-a phi3-long; do
  expect_ok "$LMC" export "$GOLDEN/$m" --gguf $m.gguf
  expect_ok "$LMC" export $m.gguf --gguf again.gguf
  cmp -s $m.gguf again.gguf || fail "$m: exported twice, the file differs"
done
expect_ok "$LMC" compile "$GOLDEN/gpt2-a" --quant none -o hf.lmc
expect_ok "$LMC" compile gpt2-a.gguf --quant none
expect_in err.txt "tokenizer with 331 tokens"
eval_of hf.lmc >hf.json
eval_of gpt2-a.lmc >gguf.json
cmp -s hf.json gguf.json || fail "gpt2-a: other logits out of GGUF"
echo "It's 1234, isn't it?" | "$LMC" tokenize "$GOLDEN/gpt2-a" >a.txt
echo "It's 1234, isn't it?" | "$LMC" tokenize gpt2-a.gguf >b.txt
[ -s a.txt ] || fail "no ids"
cmp -s a.txt b.txt || fail "other ids from the GGUF's tokenizer: $(cat b.txt)"

# Families that share an architecture, in files of other programs: what is inside decides. Experts stay quantised.
expect_ok "$LMC" export "$GOLDEN/mixtral-a" --gguf experts.gguf --type q8_0
expect_ok "$LMC" inspect experts.gguf
grep -q 'blk.0.ffn_gate_exps.weight *Q8_0 *\[4,56,64\]' out.txt || fail "no Q8_0 experts: $(grep exps out.txt)"
expect_ok "$LMC" export experts.gguf --gguf again.gguf
cmp -s experts.gguf again.gguf || fail "blocks of experts were changed"
sed 's/lmc.family/xyz.family/' experts.gguf >foreign.gguf
expect_ok "$LMC" compile foreign.gguf
expect_in err.txt "mixtral"
grep -q '"format": *"q8_0"' foreign.lmc/report.json || fail "no projection is Q8_0"
sed 's/lmc.family/xyz.family/' llama-b.gguf >foreign.gguf
expect_ok "$LMC" inspect foreign.gguf
expect_in out.txt "llama: "

# Q8_0 is packed as it is stored: the numbers of the bundle are those of the file, also where q and k change rows.
expect_ok "$LMC" export "$ROOT/models/tiny/gemma3.yaml" --gguf tiny.gguf --type q8_0
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights tiny.gguf -o tiny.lmc
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o own.lmc
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" --max-tokens 24 --temperature 0
cp out.txt tiny.txt
expect_ok "$LMC" run own.lmc --prompt "ROMEO:" --max-tokens 24 --temperature 0
cmp -s out.txt tiny.txt || fail "Q8_0 out of GGUF says '$(cat tiny.txt)'"

# What is inside, before anything is loaded.
expect_ok "$LMC" inspect tiny.gguf --context 128
expect_in out.txt "tiny.gguf: GGUF 3, "
expect_in out.txt "general.architecture"
expect_in out.txt "blk.0.attn_q.weight"
expect_in out.txt "Q8_0: "
expect_in out.txt "compiled, with 128 positions: "
expect_ok "$LMC" inspect llama-b.gguf --json
python3 - <<'P' || fail "inspect --json: $(cat out.txt)"
import json
d = json.load(open("out.txt"))
m = d["model"]
assert d["format"] == "GGUF 3" and d["bytes"] > 0 and m["family"] == "llama", d
assert m["parameters"] < m["parameters_untied"] and m["parameters"] <= d["parameters"], m
assert m["memory"]["total"] == sum(m["memory"][k] for k in ("weights", "kv_cache", "buffers")), m
assert any(t["name"] == "rope_freqs.weight" and t["shape"] == [8] for t in d["tensors"]), d["tensors"]
P
expect_ok "$LMC" inspect "$GOLDEN/llama-b"
expect_in out.txt "Hugging Face folder, 29 tensors"
expect_ok "$LMC" inspect "$GOLDEN/gpt2-a/config.json"
expect_in out.txt "gpt2: 3 layers, vocabulary 331"
expect_ok "$LMC" inspect "$GOLDEN/gpt2-a/model.safetensors"
expect_in out.txt "safetensors, "
expect_in out.txt "no estimate of memory"
expect_error 1 "nothing.gguf" "$LMC" inspect nothing.gguf
expect_error 1 "--context 10000" "$LMC" inspect llama-b.gguf --context 10000
expect_error 2 "--context goes with a checkpoint" "$LMC" inspect tiny.lmc --context 5

# What cannot be read …
compile() { "$LMC" compile "$@" -o bad.lmc; }
expect_error 1 "general.architecture is 'gemma3'" compile "$ROOT/models/gpt2.yaml" --weights gemma3-c.gguf
head -c 100000 gpt2-a.gguf >cut.gguf
expect_error 1 "cut.gguf: tensor '" compile cut.gguf
sed 's/gpt2.block_count/gpt2.block_tnuoc/' gpt2-a.gguf >key.gguf
expect_error 1 "has no metadata key 'gpt2.block_count'" compile key.gguf
sed 's/blk.1.attn_qkv.bias/blk.1.attn_qkv.bais/' gpt2-a.gguf >name.gguf
expect_error 1 "tensor 'blk.1.attn_qkv.bais'" compile name.gguf
sed 's/rope.bands.low_freq_factor/rope.bands.wol_freq_factor/; s/rope.bands.original_context_length/rope.bands.lanigiro_context_length/' llama-b.gguf >bands.gguf
expect_error 1 "bands.gguf: tensor 'rope_freqs.weight'" compile bands.gguf
sed 's/llama.expert_count/llama.expert_tnuoc/' mixtral-a.gguf >count.gguf
expect_error 1 "tensor 'blk.0.ffn_down_exps.weight'" compile count.gguf
expect_error 1 "has no metadata key 'llama.expert_count'" compile "$ROOT/models/mixtral.yaml" --weights llama-b.gguf
sed 's/rope_factors_long.weight/rope_factors_lang.weight/' phi3-long.gguf >long.gguf
expect_error 1 "tensor 'rope_factors_lang.weight'" compile long.gguf
printf 'GGUF\003\000\000\000\377\377\377\377\377\377\377\177\000\000\000\000\000\000\000\000' >many.gguf
expect_error 1 "many.gguf: the length of the name of tensor 0" compile many.gguf
printf 'not a model' >text.gguf
expect_error 1 "text.gguf: is not a GGUF file" compile text.gguf
LC_ALL=C sed 's/\x04\x00\x00\x00\x00\x00\x00\x00gpt2/\x04\x00\x00\x00\x00\x00\x00\x00bert/' gpt2-a.gguf >bert.gguf
expect_error 1 "general.architecture is 'bert'; known are" compile bert.gguf
[ -e bad.lmc ] && fail "a bundle was written"

# … or written.
expect_error 1 "nowhere/x.gguf" "$LMC" export "$GOLDEN/gpt2-a" --gguf nowhere/x.gguf
mkdir folder
expect_error 1 "folder: is a folder" "$LMC" export "$GOLDEN/gpt2-a" --gguf folder
expect_error 1 "no weights to export" "$LMC" export "$ROOT/models/gpt2.yaml" --weights none --gguf x.gguf
expect_error 1 "is a bundle" "$LMC" export tiny.lmc --gguf x.gguf
cp -r "$GOLDEN/gpt2-a" relu && chmod -R u+w relu
sed -i 's/"activation_function": *"[a-z_]*"/"activation_function": "relu"/' relu/config.json
expect_error 1 "GGUF cannot say all of this model's configuration" "$LMC" export relu --gguf x.gguf
[ -z "$(ls -d x.gguf* 2>/dev/null)" ] || fail "export left $(ls -d x.gguf*)"
finish
