# lmc compile --lora: the bits of a checkpoint into which the adapters were merged by somebody else.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
logits() { "$LMC" eval "$1" --ids 3,7,11,250 --json 2>>err.txt; }
for name in gpt2-a gemma3-a; do
  mkdir "$name"
  python3 "$ROOT/tests/cli/lora.py" "$ROOT/tests/data/golden/$name" "$WORK/$name" || fail "lora.py"
  cd "$name" || exit 1
  for quant in none q8_0; do
    expect_ok "$LMC" compile merged --quant $quant -o merged.lmc
    expect_ok "$LMC" compile base --quant $quant -o base.lmc
    expect_ok "$LMC" compile base --lora one --lora two/adapter_model.safetensors=0.5 --quant $quant -o adapted.lmc
    logits merged.lmc >merged.json && logits base.lmc >base.json && logits adapted.lmc >adapted.json || fail "$name: $(cat err.txt)"
    cmp -s base.json merged.json && fail "$name, $quant: the adapters change nothing"
    cmp -s adapted.json merged.json || fail "$name, $quant: --lora gives other logits than a merged checkpoint"
  done
  expect_ok "$LMC" compile base --lora one=0 -o adapted.lmc
  expect_ok "$LMC" compile base -o base.lmc
  logits base.lmc >base.json && logits adapted.lmc >adapted.json
  cmp -s adapted.json base.json || fail "$name: an adapter times 0 changes logits"
  cd ..
done

# The bundle says what it is made of.
cd gemma3-a || exit 1
expect_ok "$LMC" compile base --lora one --lora two=0.5 -o adapted.lmc
expect_ok "$LMC" inspect adapted.lmc
expect_in out.txt "from base with one with two times 0.5,"
expect_in out.txt "adapters: one=1, two=0.5"
expect_ok "$LMC" inspect adapted.lmc --json
python3 -c 'import json; assert json.load(open("out.txt"))["adapters"] == ["one=1", "two=0.5"]' || fail "inspect --json: $(head -c 200 out.txt)"
python3 -c 'import json; assert json.load(open("adapted.lmc/report.json"))["adapters"] == ["one=1", "two=0.5"]' || fail "report.json"
# Of a GGUF file, too: what an adapter changes is not what it stores any more.
expect_ok "$LMC" export base --gguf base.gguf --type q8_0
expect_ok "$LMC" compile base.gguf -o plain.lmc
expect_ok "$LMC" compile base.gguf --lora one -o adapted.lmc
logits plain.lmc >plain.json && logits adapted.lmc >adapted.json
cmp -s plain.json adapted.json && fail "an adapter changes nothing of a GGUF file"
expect_ok "$LMC" compile base.gguf --lora one=0 -o adapted.lmc

# What does not fit is named.
spoil() { # spoil PYTHON: changes `config` and `tensors` of adapter "bad"
  rm -rf bad && cp -r one bad
  PYTHONPATH=$ROOT/tests/cli PYTHONDONTWRITEBYTECODE=1 python3 - "$1" <<'P' || fail "spoil $1"
import json, sys
import lora
config, tensors = json.load(open("bad/adapter_config.json")), lora.read("bad/adapter_model.safetensors")
q = "base_model.model.model.layers.0.self_attn.q_proj."
exec(sys.argv[1])
json.dump(config, open("bad/adapter_config.json", "w"))
lora.write("bad/adapter_model.safetensors", tensors)
P
}
refused() { expect_error 1 "$1" "$LMC" compile base --lora bad -o no.lmc; }
spoil 'tensors["base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight"] = tensors.pop(q + "lora_A.weight")'
refused "has no lora_"
spoil 'tensors = {k.replace("layers.0", "layers.9"): t for k, t in tensors.items()}'
refused "tensor 'base_model.model.model.layers.9.self_attn.q_proj.lora_B.weight' changes 'model.layers.9.self_attn.q_proj.weight', which this model does not have"
spoil 'tensors = {k.replace("q_proj", "k_proj"): t for k, t in tensors.items()}'
refused "changes a matrix of ["
spoil 'tensors[q + "bias"] = ("F32", [2], lora.f32([1, 2]))'
refused "is neither lora_A nor lora_B"
spoil 'tensors[q + "lora_A.weight"] = ("F32", [2], lora.f32([1, 2]))'
refused "does not fit"
spoil 'config["r"] = 8'
refused "has rank 4, adapter_config.json says 8"
spoil 'config["use_dora"] = True'
refused "adapter_config.json: use_dora"
spoil 'config["peft_type"] = "LOHA"'
refused 'peft_type is "LOHA"; only LORA can be merged'
spoil 'config["alpha_pattern"] = {"q_proj": 3}'
refused "alpha_pattern cannot be merged"
spoil 'del config["lora_alpha"]'
refused "adapter_config.json: r and lora_alpha must be numbers"
spoil 'config["fan_in_fan_out"] = True'
refused "is fan_in_fan_out of adapter_config.json right?"
spoil 'tensors.clear()'
refused "holds no tensors"
rm bad/adapter_config.json
refused "adapter_config.json"
expect_error 1 "nowhere" "$LMC" compile base --lora nowhere -o no.lmc
expect_error 2 "scale" "$LMC" compile base --lora one=inf -o no.lmc
expect_error 1 "brings no weights that an adapter could change" "$LMC" compile "$ROOT/models/gpt2.yaml" --weights none --emit opt --lora one
[ -e no.lmc ] && fail "a bundle was written"
finish
