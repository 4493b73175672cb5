# Checkpoints in fp8, AWQ and GPTQ: the bits of one that holds the numbers that these stand for. Others are named.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
PYTHONPATH="$ROOT/tests/cli" PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/tests/cli/packed_checkpoints.py" \
  "$ROOT/tests/data/golden/gemma3-a" "$WORK" || fail "packed_checkpoints.py"
for kind in fp8-block fp8-row fp8-all fp8-bare awq gptq gptq-ordered; do
  for quant in none $([ $kind = awq ] && echo q8_0); do
    expect_ok "$LMC" compile $kind --quant $quant --quant-min-dim 32 -o packed.lmc
    expect_ok "$LMC" compile $kind-plain --quant $quant --quant-min-dim 32 -o plain.lmc
    "$LMC" eval packed.lmc --ids 1,5,9,33,7 --json >packed.json 2>/dev/null || fail "eval $kind"
    "$LMC" eval plain.lmc --ids 1,5,9,33,7 --json >plain.json 2>/dev/null || fail "eval $kind-plain"
    cmp -s packed.json plain.json || fail "$kind, $quant: other logits than of the same numbers in F32"
  done
done

config() { # FOLDER EXPRESSION: quantization_config changed
  python3 -c 'import json, sys
p = sys.argv[1] + "/config.json"
c = json.load(open(p))
exec(sys.argv[2])
json.dump(c, open(p, "w"))' "$1" "$2"
}
refused() { expect_error 1 "$1" "$LMC" compile "$2" -o refused.lmc; [ -e refused.lmc ] && fail "a refused compile left something"; true; }
config awq 'c["quantization_config"]["bits"] = 8'
refused "awq/config.json: quantization_config.bits is 8; of awq lmc reads 4" awq
config fp8-bare 'c["quantization_config"] = {"quant_method": "compressed-tensors", "format": "pack-quantized"}'
refused 'quantization_config.format is "pack-quantized"; of compressed-tensors lmc reads "float-quantized"' fp8-bare
config gptq 'c["quantization_config"]["checkpoint_format"] = "gptq_v2"'
refused 'quantization_config.checkpoint_format is "gptq_v2"' gptq
config fp8-row 'c["quantization_config"]["quant_method"] = "bitsandbytes"'
refused 'quantization_config.quant_method is "bitsandbytes"; lmc reads mxfp4, fp8' fp8-row
config fp8-all 'c["quantization_config"] = 8'
refused "quantization_config is not an object" fp8-all

# Parts that do not fit each other.
PYTHONPATH="$ROOT/tests/cli" PYTHONDONTWRITEBYTECODE=1 python3 - <<'END' || fail "damaging"
from lora import read, write
def change(folder, f):
    t = read(folder + "/model.safetensors")
    f(t)
    write(folder + "/model.safetensors", t)
def shorten(name):
    def f(t):
        d, s, raw = t[name]
        t[name] = (d, [s[0] - 1, *s[1:]], raw[:len(raw) // s[0] * (s[0] - 1)])
    return f
change("fp8-block", lambda t: t.update({"model.layers.0.mlp.down_proj.weight_scale_inv": ("F32", [3, 5], bytes(60))}))
change("gptq-ordered", shorten("model.layers.0.self_attn.o_proj.qzeros"))
change("awq-plain", lambda t: t.update({"model.layers.0.self_attn.q_proj.weight": ("I8", [160, 144], bytes(160 * 144))}))
END
# Of no outputs and a million million inputs, which take no byte of the file.
PYTHONPATH="$ROOT/tests/cli" PYTHONDONTWRITEBYTECODE=1 python3 - <<'END' || fail "damaging"
from lora import read, write
t = read("fp8-row-plain/model.safetensors")
for part, dtype, shape in (("qweight", "I32", [1 << 40, 0]), ("qzeros", "I32", [1, 0]), ("scales", "F16", [1, 0])):
    t["model.layers.0.mlp.extra." + part] = (dtype, shape, b"")
write("fp8-row-plain/model.safetensors", t)
END
refused "extra.qweight' I32[1099511627776,0] and its qzeros and scales are neither" fp8-row-plain
refused "q_proj.weight' is I8[160,144]; weights must be F32, F16 or BF16" awq-plain
refused "weight_scale_inv' F32[3,5] does not fit" fp8-block
refused "neither AWQ's nor GPTQ's of 4 bits" gptq-ordered
finish
