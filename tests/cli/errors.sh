# Malformed input of every kind: one clear message, exit code 1 (2 for usage), nothing half-written.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
G=$ROOT/tests/data/golden/gemma3-c
fresh() {  # a copy of a golden checkpoint to damage
  rm -rf ck
  cp -r "$G" ck
  chmod -R u+w ck
}
compile() { "$LMC" compile "$ROOT/models/gemma3.yaml" --weights ck -o bad.lmc; }
nothing_written() { [ -e bad.lmc ] || [ -n "$(ls -d bad.lmc.tmp-* 2>/dev/null)" ] && fail "something was written: $1"; }

# Usage
expect_error 2 "A subcommand is required" "$LMC"
expect_error 2 "nonsense" "$LMC" nonsense
expect_error 2 "--no-such-option" "$LMC" run --no-such-option
expect_error 2 "--ids must be whole numbers" "$LMC" run x --ids 1,two
expect_error 2 "one of --ids and --text" "$LMC" eval x
expect_error 2 "goes with --emit" "$LMC" compile "$ROOT/models/gpt2.yaml" --weights none

# Model files
printf 'family: x\nfamily: y\n' >dup.yaml
expect_error 1 "dup.yaml:2:1: key 'family' is given twice" "$LMC" compile dup.yaml
printf 'family: [x\n' >broken.yaml
expect_error 1 "broken.yaml:" "$LMC" compile broken.yaml
printf 'family: x\n---\nfamily: y\n' >two.yaml
expect_error 1 "second document" "$LMC" compile two.yaml
printf 'family: &a [*a]\n' >loop.yaml
expect_error 1 "loop.yaml:1:" "$LMC" compile loop.yaml
{ echo 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]'; for i in 1 2 3 4 5 6 7 8 9; do j=$((i - 1)); echo "a$i: &a$i [*a$j,*a$j,*a$j,*a$j,*a$j,*a$j,*a$j,*a$j,*a$j,*a$j]"; done; } >bomb.yaml
expect_error 1 "what aliases repeat, take more than 24 MB" "$LMC" compile bomb.yaml
: >empty.yaml
expect_error 1 "empty" "$LMC" compile empty.yaml
expect_error 1 "missing.yaml" "$LMC" compile missing.yaml
sed 's/^layers: .*/layer_count: 3/' "$ROOT/models/gemma3.yaml" >key.yaml
expect_error 1 "unknown key 'layer_count'" "$LMC" compile key.yaml
sed 's/= rms_norm(%x, @input/= rms_nrm(%x, @input/' "$ROOT/models/gemma3.yaml" >op.yaml
expect_error 1 "unknown op 'rms_nrm'; did you mean rms_norm?" "$LMC" compile op.yaml --weights "$G" -o bad.lmc
grep -qE 'op.yaml:[0-9]+:[0-9]+: ' err.txt || fail "no line in: $(cat err.txt)"
line=$(grep -n 'rms_nrm' op.yaml | cut -d: -f1)
expect_in err.txt "op.yaml:$line:"
export HF_HUB_CACHE=$PWD/hub # not the user's
expect_error 1 "gemma-3-1b-it is not in the hub cache ($HF_HUB_CACHE); fetch it with: lmc pull google/gemma-3-1b-it; or pass --weights DIR" \
  "$LMC" compile "$ROOT/models/gemma3.yaml"
expect_error 1 "is not a folder" "$LMC" compile "$ROOT/models/gemma3.yaml" --weights nowhere
expect_error 1 "--size 9b" "$LMC" compile "$ROOT/models/gemma3.yaml" --weights random --size 9b

# A folder as the model
printf '{"model_type": "bert"}' >bert.json; mkdir bert; mv bert.json bert/config.json
expect_error 1 'bert/config.json: model_type is "bert"; known are' "$LMC" compile bert -o bad.lmc
mkdir nothing
expect_error 1 "nothing/config.json: cannot open" "$LMC" compile nothing -o bad.lmc
printf '{"hidden_size": 64}' >nothing/config.json
expect_error 1 "nothing/config.json: has no text 'model_type'" "$LMC" compile nothing -o bad.lmc
F=$ROOT/tests/data/golden/llama-bias
family() {  # family 's/…/…/': a copy with another configuration, compiled
  rm -rf family && cp -r "$F" family && chmod -R u+w family && sed -i "$1" family/config.json
  "$LMC" compile family -o bad.lmc
}
expect_error 1 'family/config.json: rope_scaling.type is "dynamic"; builtin:llama.yaml supports "default", "linear"' family 's/linear/dynamic/'
expect_error 1 "model.layers.0.self_attn.k_proj.bias' BF16[24] is not used by builtin:llama.yaml" family '/attention_bias/d'
expect_error 1 "no tensor 'model.layers.0.self_attn.q_norm.weight'" family 's/"llama"/"qwen3", "head_dim": 12/'
expect_error 1 "no tensor 'model.layers.2.input_layernorm.weight'" family 's/"num_hidden_layers": *2/"num_hidden_layers": 3/'
expect_error 1 "mlp.gate_proj.weight" family '/intermediate_size/d'
F=$ROOT/tests/data/golden/mixtral-a
expect_error 1 "k must be 1 to 4, the number of experts, found 5" family 's/"num_experts_per_tok": 2/"num_experts_per_tok": 5/'
expect_error 1 "block_sparse_moe.gate.weight' is bf16[4,64], expected bf16[6,64]" family 's/"num_local_experts": 4/"num_local_experts": 6/'
expect_error 1 "experts.0.w1.weight' is bf16[56,64], expected bf16[48,64]" family 's/"intermediate_size": 56/"intermediate_size": 48/'
nothing_written "families"
expect_error 1 "is a folder and brings its own" "$LMC" compile "$G" --weights random -o bad.lmc
expect_error 1 "builtin:lama.yaml: there is no such model file; built in are cohere2.yaml" "$LMC" compile builtin:lama.yaml

# IR text
printf 'graph @g (%%x: f32[T,4]) {\n  weight @w : f32[2,5]\n  %%y = linear(%%x, @w)\n  return %%y\n}\n' >type.lmir
expect_error 1 "type.lmir:3:3: linear: expected last dimension 5" "$LMC" opt type.lmir
sed -i 's/2,5/2,4/' type.lmir
expect_error 1 "no pass 'fuse-all'" "$LMC" opt type.lmir --passes=fuse-all

# Checkpoints
fresh; rm ck/config.json
expect_error 1 "ck/config.json" compile
fresh; echo '{' >ck/config.json
expect_error 1 "ck/config.json" compile
fresh; sed -i 's/"hidden_size": *96/"hidden_size": 97/' ck/config.json
expect_error 1 "expected" compile
fresh; rm ck/model.safetensors
expect_error 1 "holds neither model.safetensors nor" compile
fresh; truncate -s 100000 ck/model.safetensors
expect_error 1 "truncated" compile
fresh; truncate -s 5 ck/model.safetensors
expect_error 1 "too short" compile
fresh; printf '\xff\xff\xff\xff\x00\x00\x00\x00' | dd of=ck/model.safetensors conv=notrunc status=none
expect_error 1 "the header claims" compile
fresh; sed -i 's/model.norm.weight/model.nrom.weight/' ck/model.safetensors
expect_error 1 "no tensor 'model.norm.weight'" compile
fresh; sed -i 's/"num_hidden_layers": *3/"num_hidden_layers": 2/' ck/config.json
expect_error 1 "is not used by" compile
fresh; echo 'no json' >ck/tokenizer.json
expect_error 1 "ck/tokenizer.json" compile
nothing_written "checkpoints"

# Output
expect_error 1 "does not exist" "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" -o nowhere/x.lmc
mkdir mine
expect_error 1 "is not a bundle" "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" -o mine

# Bundles
expect_error 1 "no *.lmc in this folder" "$LMC" run --ids 1
expect_ok "$LMC" compile "$ROOT/models/gemma3.yaml" --weights "$G" -o good.lmc
expect_error 1 "there is no such bundle" "$LMC" run other.lmc --ids 1
expect_error 1 "is not a bundle" "$LMC" run mine --ids 1
damaged() { rm -rf d.lmc; cp -r good.lmc d.lmc; }
damaged; truncate -s 1000 d.lmc/weights.safetensors
expect_error 1 "weights.safetensors: has 1000 bytes" "$LMC" run d.lmc --ids 1
damaged; printf 'x' | dd of=d.lmc/kernels.o bs=1 seek=200 conv=notrunc status=none
expect_error 1 "kernels.o: is damaged" "$LMC" run d.lmc --ids 1
damaged; rm d.lmc/plan.json
expect_error 1 "plan.json: is missing" "$LMC" run d.lmc --ids 1
damaged; echo '{"format":1}' >d.lmc/manifest.json
expect_error 1 "manifest.json" "$LMC" run d.lmc --ids 1
damaged; sed -i 's/"lmc": "[0-9.]*"/"lmc": "9.9.9"/' d.lmc/manifest.json
expect_error 1 "was made by lmc 9.9.9" "$LMC" run d.lmc --ids 1
damaged; sed -i 's/"target": "[^"]*"/"target": "sve2"/' d.lmc/plan.json
expect_error 1 "plan.json" "$LMC" run d.lmc --ids 1

# Prompts
expect_error 1 "333" "$LMC" run good.lmc --ids 1,333
expect_error 1 "-1" "$LMC" eval good.lmc --ids=-1
expect_error 1 "context" "$LMC" eval good.lmc --ids "$(seq -s, 1 300),$(seq -s, 1 300)"
expect_error 1 "top-p" "$LMC" run good.lmc --ids 1 --top-p 7 --temperature 1
expect_error 1 "nofile.txt" "$LMC" eval good.lmc --text nofile.txt
expect_ok "$LMC" compile "$ROOT/models/gpt2.yaml" --weights random --context 16 --size 124m -o r.lmc
expect_error 1 "has no tokenizer, so only --ids work" "$LMC" run r.lmc --prompt hello
finish
