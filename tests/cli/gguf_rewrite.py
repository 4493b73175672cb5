"""gguf_rewrite.py split IN OUT N: IN as OUT-00001-of-0000N.gguf …, as gguf-split cuts files.
gguf_rewrite.py apart IN OUT: each stack of experts (ffn_up_exps) as a tensor for each (ffn_up.0), as files before 2024-04.
gguf_rewrite.py add IN OUT KEY=NUMBER…: with these in its metadata.
gguf_rewrite.py latent IN OUT HEADS NOPE VALUE ROPE: DeepSeek's projection to keys and values as a stack of matrices each, and a
layer more that predicts the token behind the next one, as files since 2025-04.
"""
import re
import struct
import sys

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
BLOCKS = {0: (1, 4), 1: (1, 2), 8: (32, 34), 30: (1, 2)}


class File:
    def __init__(self, path):
        self.data = open(path, "rb").read()
        self.at = 4
        _, tensors, keys = self.take("<IQQ")
        self.keys = []  # name, type and value as stored
        for _ in range(keys):
            name = self.text()
            start = self.at
            self.skip(self.take("<I")[0])
            self.keys.append((name, self.data[start:self.at]))
        entries = []
        for _ in range(tensors):
            name = self.text()
            dims = self.take(f"<{self.take('<I')[0]}Q")
            entries.append((name, dims, *self.take("<IQ")))
        start = (self.at + 31) // 32 * 32
        self.tensors = []  # name, dims, type, bytes
        for name, dims, kind, offset in entries:
            values, size = BLOCKS[kind]
            length = size
            for d in dims:
                length *= d
            length //= values
            self.tensors.append((name, dims, kind, self.data[start + offset:start + offset + length]))

    def take(self, form):
        out = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return out

    def text(self):
        n = self.take("<Q")[0]
        self.at += n
        return self.data[self.at - n:self.at]

    def skip(self, kind):
        if kind == 8:
            self.text()
        elif kind == 9:
            element, count = self.take("<IQ")
            for _ in range(count):
                self.skip(element)
        else:
            self.at += SIZES[kind]


def write(path, keys, tensors):
    def text(b):
        return struct.pack("<Q", len(b)) + b
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(text(name) + stored for name, stored in keys)
    data = b""
    for name, dims, kind, content in tensors:
        head += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, len(data))
        data += content + bytes(-len(content) % 32)
    open(path, "wb").write(head + bytes(-len(head) % 32) + data)


def split(file, out, count):
    each = -(-len(file.tensors) // count)
    for i in range(count):
        keys = [(b"split.no", struct.pack("<IH", 2, i)), (b"split.count", struct.pack("<IH", 2, count)),
                (b"split.tensors.count", struct.pack("<Ii", 5, len(file.tensors)))]
        write(f"{out}-{i + 1:05}-of-{count:05}.gguf", (file.keys if i == 0 else []) + keys,
              file.tensors[i * each:(i + 1) * each])


def apart(file, out):
    tensors = []
    for name, dims, kind, content in file.tensors:
        match = re.fullmatch(rb"(.*\.ffn_\w+)_exps(\.weight)", name)
        if not match:
            tensors.append((name, dims, kind, content))
            continue
        n = len(content) // dims[2]
        for i in range(dims[2]):
            tensors.append((b"%s.%d%s" % (match[1], i, match[2]), dims[:2], kind, content[i * n:(i + 1) * n]))
    write(out, file.keys, tensors)


def add(file, out, numbers):
    keys = [(k.encode(), struct.pack("<If", 6, float(v))) for k, v in (n.split("=") for n in numbers)]
    write(out, file.keys + keys, file.tensors)


def latent(file, out, heads, nope, value, rope):
    tensors = []
    for name, dims, kind, content in file.tensors:
        if not name.endswith(b".attn_kv_b.weight"):
            tensors.append((name, dims, kind, content))
            continue
        size = BLOCKS[kind][1]
        rank = dims[0]
        rows = [content[i:i + rank * size] for i in range(0, len(content), rank * size)]
        keys, values = [], []
        for head in range(heads):
            first = head * (nope + value)
            for column in range(rank):
                keys += [row[column * size:(column + 1) * size] for row in rows[first:first + nope]]
            values += rows[first + nope:first + nope + value]
        layer = name[:-len(b"attn_kv_b.weight")]
        tensors.append((layer + b"attn_k_b.weight", (nope, rank, heads), kind, b"".join(keys)))
        tensors.append((layer + b"attn_v_b.weight", (rank, value, heads), kind, b"".join(values)))
    layers = 1 + max(int(match[1]) for name, *_ in tensors if (match := re.match(rb"blk\.(\d+)\.", name)))
    tensors.append((b"blk.%d.nextn.enorm.weight" % layers, (4,), 0, bytes(16)))
    number = lambda n: struct.pack("<II", 4, n)
    stated = {b"head_count_kv": 1, b"key_length": rank + rope, b"value_length": rank,
              b"key_length_mla": nope + rope, b"value_length_mla": value}
    changed = {b"deepseek2.attention." + name: number(n) for name, n in stated.items()}
    write(out, [key for key in file.keys if key[0] not in changed] + list(changed.items()), tensors)


if sys.argv[1] == "latent":
    latent(File(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:8]))
elif sys.argv[1] == "split":
    split(File(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
elif sys.argv[1] == "add":
    add(File(sys.argv[2]), sys.argv[3], sys.argv[4:])
else:
    apart(File(sys.argv[2]), sys.argv[3])
