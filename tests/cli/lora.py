"""Adapters in PEFT's layout, and the same merged into a copy of the checkpoint by this script: lora.py CHECKPOINT FOLDER.
Everything is a small multiple of a power of two, so that sums have the same bits in any order."""
import json
import os
import random
import shutil
import struct
import sys


def read(path):
    with open(path, "rb") as f:
        size = struct.unpack("<Q", f.read(8))[0]
        header = json.loads(f.read(size))
        data = f.read()
    header.pop("__metadata__", None)
    return {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])]) for name, t in header.items()}


def write(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def numbers(dtype, raw):
    if dtype == "F32":
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))
    return list(struct.unpack(f"<{len(raw) // 2}f", b"".join(b"\0\0" + raw[i:i + 2] for i in range(0, len(raw), 2))))


def f32(values):
    return struct.pack(f"<{len(values)}f", *values)


def product(b, a, out, rank, inp):
    return [sum(b[i * rank + k] * a[k * inp + j] for k in range(rank)) for i in range(out) for j in range(inp)]


def turned(m, rows, cols):
    return [m[r * cols + c] for c in range(cols) for r in range(rows)]


# What is adapted: how the checkpoint calls it, and PEFT.
PLACES = {
    "gpt2-a": [("h.0.attn.c_attn", "transformer.h.0.attn.c_attn"), ("h.1.mlp.c_proj", "transformer.h.1.mlp.c_proj"),
               ("wte", "transformer.wte")],
    "gemma3-a": [("model.layers.0.self_attn.q_proj",) * 2, ("model.layers.1.mlp.down_proj",) * 2, ("model.embed_tokens",) * 2],
}


def main(checkpoint, folder):
    random.seed(5)
    name = os.path.basename(checkpoint)
    tensors = read(f"{checkpoint}/model.safetensors")
    # As numbers with few bits: sums of them are exact.
    weights = {}
    for key, (dtype, shape, raw) in tensors.items():
        if len(shape) == 2:
            weights[key] = [round(x * 256) / 256 for x in numbers(dtype, raw)]
            tensors[key] = ("F32", shape, f32(weights[key]))
        elif dtype == "BF16":
            tensors[key] = ("F32", shape, f32(numbers(dtype, raw)))
    for to in ("base", "merged"):
        shutil.copytree(checkpoint, f"{folder}/{to}")
    write(f"{folder}/base/model.safetensors", tensors)
    conv1d = name.startswith("gpt2")
    for adapter, rank, alpha, rslora, scale in (("one", 4, 8, False, 1.0), ("two", 4, 4, True, 0.5)):
        os.makedirs(f"{folder}/{adapter}")
        config = {"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "use_rslora": rslora, "fan_in_fan_out": conv1d,
                  "bias": "none", "target_modules": ["c_attn"], "task_type": "CAUSAL_LM", "lora_dropout": 0.1}
        with open(f"{folder}/{adapter}/adapter_config.json", "w") as f:
            json.dump(config, f)
        parts = {}
        for stored, peft in PLACES[name]:
            rows, cols = tensors[stored + ".weight"][1]
            embedding = stored in ("wte", "model.embed_tokens")
            turn = conv1d or embedding
            inp, out = (rows, cols) if turn else (cols, rows)
            a = [random.randrange(-4, 5) / 16 for _ in range(rank * inp)]
            b = [random.randrange(-4, 5) / 16 for _ in range(out * rank)]
            kind = ("lora_embedding_A", "lora_embedding_B") if embedding else ("lora_A.weight", "lora_B.weight")
            parts[f"base_model.model.{peft}.{kind[0]}"] = ("F32", [rank, inp], f32(a))
            parts[f"base_model.model.{peft}.{kind[1]}"] = ("F32", [out, rank], f32(b))
            delta = product(b, a, out, rank, inp)
            if turn:
                delta = turned(delta, out, inp)
            factor = scale * alpha / (rank ** 0.5 if rslora else rank)
            key = stored + ".weight"
            weights[key] = [w + factor * d for w, d in zip(weights[key], delta)]
            tensors[key] = ("F32", [rows, cols], f32(weights[key]))
        write(f"{folder}/{adapter}/adapter_model.safetensors", parts)
    write(f"{folder}/merged/model.safetensors", tensors)


if __name__ == "__main__":
    main(*sys.argv[1:])
