"""A checkpoint whose projections are kept in 8 or 4 bits, and the same with the numbers that these stand for:
packed_checkpoints.py CHECKPOINT FOLDER writes FOLDER/KIND and FOLDER/KIND-plain for every kind."""
import bisect
import json
import os
import random
import shutil
import struct
import sys

from lora import numbers, read, write


def f32(values):
    return struct.pack(f"<{len(values)}f", *values)


def f16(values):
    return struct.pack(f"<{len(values)}e", *values)


def rounded_to_f16(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


def rounded_to_f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def i32(values):
    return struct.pack(f"<{len(values)}I", *values)


# OCP 8-bit Floating Point Specification 1.0.
def fp8_numbers(exponent_bits):
    mantissa_bits, bias, out = 7 - exponent_bits, 2 ** (exponent_bits - 1) - 1, []
    for i in range(128):
        e, m = i >> mantissa_bits, i & (2 ** mantissa_bits - 1)
        if e == 0:
            out.append(m * 2.0 ** (1 - bias - mantissa_bits))
        elif exponent_bits == 5 and e == 31 or exponent_bits == 4 and i == 127:
            break  # infinities and NaN
        else:
            out.append((1 + m / 2 ** mantissa_bits) * 2.0 ** (e - bias))
    return out


E4M3, E5M2 = fp8_numbers(4), fp8_numbers(5)


def near(x, table):
    """Byte and number, not below x."""
    i = min(bisect.bisect_left(table, abs(x)), len(table) - 1)
    return (i | 128, -table[i]) if x < 0 else (i, table[i])


def fp8(w, rows, cols, table, scale_of):
    """The bytes, and what they are with their scales."""
    data, plain = bytearray(), []
    for r in range(rows):
        for c in range(cols):
            s = scale_of(r, c)
            byte, number = near(w[r * cols + c] / s, table)
            data.append(byte)
            plain.append(rounded_to_f32(number * s))
    return bytes(data), plain


def kind_block(name, w, rows, cols):
    across, down = -(-cols // 128), -(-rows // 128)
    scales = [rounded_to_f32(random.uniform(0.5, 2) / 1000) for _ in range(across * down)]
    data, plain = fp8(w, rows, cols, E4M3, lambda r, c: scales[r // 128 * across + c // 128])
    return {name: ("F8_E4M3", [rows, cols], data), name + "_scale_inv": ("F32", [down, across], f32(scales))}, plain


def kind_row(name, w, rows, cols):
    scales = [rounded_to_f32(random.uniform(0.5, 2) / 1000) for _ in range(rows)]
    data, plain = fp8(w, rows, cols, E4M3, lambda r, c: scales[r])
    return {name: ("F8_E4M3", [rows, cols], data), name + "_scale": ("F32", [rows, 1], f32(scales)),
            name[:-len("weight")] + "input_scale": ("F32", [1], f32([0.5]))}, plain


def kind_all(name, w, rows, cols):
    data, plain = fp8(w, rows, cols, E5M2, lambda r, c: 0.25)
    return {name: ("F8_E5M2", [rows, cols], data), name + "_scale": ("F32", [], f32([0.25]))}, plain


def kind_bare(name, w, rows, cols):
    data, plain = fp8(w, rows, cols, E4M3, lambda r, c: 1)
    return {name: ("F8_E4M3", [rows, cols], data)}, plain


def four_bits(name, w, rows, cols, awq, ordered):
    group = 32 if cols % 32 == 0 else cols
    groups = cols // group
    of = [k // group for k in range(cols)]
    if ordered:
        random.shuffle(of)
    scales = [[rounded_to_f16(random.uniform(0.5, 2) / 40) for _ in range(rows)] for _ in range(groups)]
    zeros = [[random.randrange(0 if awq else 1, 16) for _ in range(rows)] for _ in range(groups)]
    q = [[0] * cols for _ in range(rows)]
    plain = []
    for n in range(rows):
        for k in range(cols):
            g = of[k]
            q[n][k] = max(0, min(15, round(w[n * cols + k] / scales[g][n]) + zeros[g][n]))
            plain.append(rounded_to_f32((q[n][k] - zeros[g][n]) * scales[g][n]))
    order = (0, 2, 4, 6, 1, 3, 5, 7) if awq else range(8)
    words = lambda row: [sum(row[c * 8 + order[i]] << 4 * i for i in range(8)) for c in range(len(row) // 8)]
    if awq:
        weights = [x for k in range(cols) for x in words([q[n][k] for n in range(rows)])]
        shape = [cols, rows // 8]
    else:
        weights = [sum(q[n][r * 8 + i] << 4 * i for i in range(8)) for r in range(cols // 8) for n in range(rows)]
        shape = [cols // 8, rows]
    stored = [x for g in range(groups) for x in words([z - (0 if awq else 1) for z in zeros[g]])]
    module = name[:-len("weight")]
    parts = {module + "qweight": ("I32", shape, i32(weights)), module + "qzeros": ("I32", [groups, rows // 8], i32(stored)),
             module + "scales": ("F16", [groups, rows], f16([x for g in scales for x in g]))}
    if not awq:
        parts[module + "g_idx"] = ("I32", [cols], i32(of))
    return parts, plain


KINDS = {"fp8-block": (kind_block, "fp8"), "fp8-row": (kind_row, "compressed-tensors"), "fp8-all": (kind_all, "fbgemm_fp8"),
         "fp8-bare": (kind_bare, None), "awq": (lambda *a: four_bits(*a, True, False), "awq"),
         "gptq": (lambda *a: four_bits(*a, False, False), "gptq"), "gptq-ordered": (lambda *a: four_bits(*a, False, True), "gptq")}


def main(checkpoint, folder):
    random.seed(7)
    tensors = read(f"{checkpoint}/model.safetensors")
    for kind, (pack, method) in KINDS.items():
        packed, plain = {}, {}
        for name, (dtype, shape, raw) in tensors.items():
            if name.endswith("proj.weight") and (kind.startswith("fp8") or all(n % 8 == 0 for n in shape)):
                parts, values = pack(name, numbers(dtype, raw), *shape)
                packed.update(parts)
                plain[name] = ("F32", shape, f32(values))
            else:
                packed[name] = plain[name] = (dtype, shape, raw)
        for to, what in ((kind, packed), (kind + "-plain", plain)):
            shutil.copytree(checkpoint, f"{folder}/{to}")
            write(f"{folder}/{to}/model.safetensors", what)
        if method:
            config = json.load(open(f"{folder}/{kind}/config.json"))
            config["quantization_config"] = {"quant_method": method}
            if method in ("awq", "gptq"):
                config["quantization_config"]["bits"] = 4
            with open(f"{folder}/{kind}/config.json", "w") as f:
                json.dump(config, f)


if __name__ == "__main__":
    main(*sys.argv[1:])
