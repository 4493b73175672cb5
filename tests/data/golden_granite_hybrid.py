#!/usr/bin/python3
"""Golden checkpoints of the family granitemoehybrid (Granite 4.0 H), and what a correct model answers.

usage: golden_granite_hybrid.py make DIR    writes DIR/granite4h-a and DIR/granite4h-b anew, with the tokenizer of DIR/lfm2-a
       golden_granite_hybrid.py check DIR…  computes golden.json of each folder again and prints the differences

Written from the published formulas alone, in double precision, and independently of lmc's own evaluator and kernels: Mamba-2
(Dao and Gu 2024) in its dual form, where each token sums over all tokens before it as attention does and no state exists
at all. `check` also runs the recurrence token by token, which must agree. Tensors are named and laid out as Hugging Face's
transformers has them. Needs numpy.
"""
import json, os, shutil, struct, sys
os.environ.setdefault("OMP_NUM_THREADS", "1"); os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np


# ---- safetensors ----
def read_safetensors(path):
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for name, d in json.loads(raw[8:8 + size]).items():
        if name == "__metadata__": continue
        a, b = d["data_offsets"]; bits = raw[8 + size + a:8 + size + b]
        if d["dtype"] == "F32": v = np.frombuffer(bits, "<f4").astype(np.float64)
        else: v = (np.frombuffer(bits, "<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        out[name] = v.reshape(d["shape"])
    return out


def as_bf16(x):
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def write_safetensors(path, tensors, dtype):
    header, blobs, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name in sorted(tensors):
        data = as_bf16(tensors[name]).tobytes() if dtype == "BF16" else np.ascontiguousarray(tensors[name], "<f4").tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensors[name].shape), "data_offsets": [at, at + len(data)]}
        blobs.append(data); at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


# ---- the model ----
def silu(x): return x / (1 + np.exp(-x))
def softplus(x): return np.logaddexp(0, x)
def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True)); return e / e.sum(-1, keepdims=True)
def rms_norm(x, w, eps): return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w


class Model:
    """`wrong`: a mistake to be made, whose effect golden.json states."""

    def __init__(self, config, weights, wrong="", recurrent=False):
        self.c, self.w, self.wrong, self.recurrent = config, weights, wrong, recurrent
        self.router_margin = np.inf

    def linear(self, x, name):
        y = x @ self.w[name + ".weight"].T
        bias = self.w.get(name + ".bias")
        return y if bias is None else y + bias

    def convolved(self, x, prefix):
        taps = self.w[prefix + "conv1d.weight"][:, 0, :]
        count = taps.shape[1]
        padded = np.concatenate([np.zeros((count - 1, x.shape[1])), x])
        y = sum(padded[j:j + len(x)] * taps[:, j if self.wrong != "conv_reversed" else count - 1 - j] for j in range(count))
        bias = self.w.get(prefix + "conv1d.bias")
        return silu(y if bias is None else y + bias)

    def mixed(self, x, B, C, dt, A):
        """x [T, H, P], B and C [T, H, N], dt [T, H], A [H] -> [T, H, P]."""
        if self.recurrent:
            state, out = np.zeros(x.shape[1:] + B.shape[2:]), []
            for t in range(len(x)):
                state = state * np.exp(dt[t] * A)[:, None, None] + (dt[t][:, None] * x[t])[:, :, None] * B[t][:, None, :]
                out.append((state * C[t][:, None, :]).sum(-1))
            return np.array(out)
        logs = np.cumsum(dt * A, axis=0)
        T = len(x)
        scores = np.einsum("thn,shn->hts", C, B)
        fade = np.exp(np.minimum(logs.T[:, :, None] - logs.T[:, None, :], 0))
        scores = scores * fade * np.tril(np.ones((T, T))) * dt.T[:, None, :]
        return np.einsum("hts,shp->thp", scores, x)

    def mamba(self, n, prefix):
        c, w = self.c, self.w
        H, G, N = c["mamba_n_heads"], c["mamba_n_groups"], c["mamba_d_state"]
        inner = c["mamba_expand"] * c["hidden_size"]
        P, T = inner // H, len(n)
        gate, xBC, dt = np.split(self.linear(n, prefix + "in_proj"), [inner, 2 * inner + 2 * G * N], axis=-1)
        x, B, C = np.split(self.convolved(xBC, prefix), [inner, inner + G * N], axis=-1)
        if self.wrong == "b_c_swapped": B, C = C, B
        each = H // G
        heads = lambda v: np.repeat(v.reshape(T, G, N), each, axis=1) if self.wrong != "groups_interleaved" else np.tile(v.reshape(T, G, N), (1, each, 1))
        dt = softplus(dt + w[prefix + "dt_bias"])
        x = x.reshape(T, H, P)
        y = self.mixed(x, heads(B), heads(C), dt, -np.exp(w[prefix + "A_log"]))
        if self.wrong != "no_skip": y = y + w[prefix + "D"][:, None] * x
        y = y.reshape(T, inner)
        norm = w[prefix + "norm.weight"]
        y = rms_norm(y, norm, c["rms_norm_eps"]) * silu(gate) if self.wrong == "gate_behind_norm" else rms_norm(y * silu(gate), norm, c["rms_norm_eps"])
        return self.linear(y, prefix + "out_proj")

    def attention(self, n, prefix):
        c = self.c
        H, KV, T = c["num_attention_heads"], c["num_key_value_heads"], len(n)
        D = c["hidden_size"] // H
        q, k, v = (self.linear(n, prefix + p).reshape(T, -1, D) for p in ("q_proj", "k_proj", "v_proj"))
        if (c["position_embedding_type"] == "rope") != (self.wrong == "rope"):
            angle = np.arange(T)[:, None] * c["rope_theta"] ** (-np.arange(0, D, 2) / D)
            cos, sin = (np.concatenate([f, f], -1)[:, None, :] for f in (np.cos(angle), np.sin(angle)))
            turned = lambda x: x * cos + np.concatenate([-x[..., D // 2:], x[..., :D // 2]], -1) * sin
            q, k = turned(q), turned(k)
        out = np.zeros((T, H, D))
        for h in range(H):
            s = q[:, h] @ k[:, h // (H // KV)].T * c["attention_multiplier"]
            out[:, h] = softmax(np.where(np.tril(np.ones((T, T), bool)), s, -np.inf)) @ v[:, h // (H // KV)]
        return self.linear(out.reshape(T, -1), prefix + "o_proj")

    def gated(self, n, up, down):
        a, b = np.split(n @ up.T, 2, axis=-1)
        return (silu(b) * a if self.wrong == "gate_and_up_swapped" else silu(a) * b) @ down.T

    def feed_forward(self, n, prefix):
        c, w = self.c, self.w
        out = self.gated(n, w[prefix + "shared_mlp.input_linear.weight"], w[prefix + "shared_mlp.output_linear.weight"])
        if c["num_local_experts"] == 0: return out
        m = prefix + "block_sparse_moe."
        scores = n @ w[m + "router.layer.weight"].T
        k = c["num_experts_per_tok"]
        order = np.argsort(-scores, axis=-1, kind="stable")
        for t in range(len(n)):
            self.router_margin = min(self.router_margin, scores[t, order[t, k - 1]] - scores[t, order[t, k]])
            share = softmax(scores[t])[order[t, :k]] if self.wrong == "shares_of_all" else softmax(scores[t, order[t, :k]])
            for e, s in zip(order[t, :k], share):
                out[t] += s * self.gated(n[t], w[m + "input_linear.weight"][e], w[m + "output_linear.weight"][e])
        return out

    def logits(self, ids):
        c, w = self.c, self.w
        x = w["model.embed_tokens.weight"][np.array(ids)] * c["embedding_multiplier"]
        for layer, kind in enumerate(c["layer_types"]):
            p = f"model.layers.{layer}."
            n = rms_norm(x, w[p + "input_layernorm.weight"], c["rms_norm_eps"])
            mixed = self.mamba(n, p + "mamba.") if kind == "mamba" else self.attention(n, p + "self_attn.")
            x = x + mixed * c["residual_multiplier"]
            n = rms_norm(x, w[p + "post_attention_layernorm.weight"], c["rms_norm_eps"])
            x = x + self.feed_forward(n, p) * c["residual_multiplier"]
        x = rms_norm(x, w["model.norm.weight"], c["rms_norm_eps"])
        head = w["model.embed_tokens.weight" if c["tie_word_embeddings"] else "lm_head.weight"]
        return x @ head.T / c["logits_scaling"]


# ---- checkpoints ----
def config_of(**own):
    return {"architectures": ["GraniteMoeHybridForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2,
            "hidden_act": "silu", "initializer_range": 0.1, "mamba_chunk_size": 16, "mamba_d_head": "auto", "mamba_expand": 2,
            "max_position_embeddings": 512, "model_type": "granitemoehybrid", "normalization_function": "rmsnorm",
            "output_router_logits": False, "pad_token_id": 0, "rms_norm_eps": 1e-5, "rope_scaling": None, "rope_theta": 10000,
            "router_aux_loss_coef": 0.0, "transformers_version": "4.57.0", "use_cache": True, "vocab_size": 300, **own}


CASES = {
    # A mixture of experts, no positions at all, two groups of B and C, states that are no multiple of a register's lanes.
    "granite4h-a": ("BF16", 4142, config_of(
        attention_bias=False, attention_multiplier=0.2, embedding_multiplier=1.5, hidden_size=48, intermediate_size=24,
        layer_types=["mamba", "mamba", "attention", "mamba", "mamba"], logits_scaling=1.25, mamba_conv_bias=True, mamba_d_conv=4,
        mamba_d_state=24, mamba_n_groups=2, mamba_n_heads=6, mamba_proj_bias=False, num_attention_heads=4, num_experts_per_tok=2,
        num_hidden_layers=5, num_key_value_heads=2, num_local_experts=5, position_embedding_type="nope",
        residual_multiplier=0.9, shared_intermediate_size=40, tie_word_embeddings=True, torch_dtype="bfloat16")),
    # Dense, with rope and every bias there may be, untied; odd sizes of state and head.
    "granite4h-b": ("F32", 4102, config_of(
        attention_bias=True, attention_multiplier=0.3, embedding_multiplier=2.0, hidden_size=40, intermediate_size=56,
        layer_types=["mamba", "attention", "mamba", "mamba"], logits_scaling=0.5, mamba_conv_bias=False, mamba_d_conv=3,
        mamba_d_state=13, mamba_n_groups=1, mamba_n_heads=4, mamba_proj_bias=True, num_attention_heads=5, num_experts_per_tok=0,
        num_hidden_layers=4, num_key_value_heads=1, num_local_experts=0, position_embedding_type="rope",
        residual_multiplier=0.8, shared_intermediate_size=56, tie_word_embeddings=False, torch_dtype="float32")),
}
WRONG = ["conv_reversed", "b_c_swapped", "groups_interleaved", "no_skip", "gate_behind_norm", "rope", "gate_and_up_swapped", "shares_of_all"]


def random_weights(c, rng):
    D, H, G, N = c["hidden_size"], c["mamba_n_heads"], c["mamba_n_groups"], c["mamba_d_state"]
    inner, heads, kv = c["mamba_expand"] * D, c["num_attention_heads"], c["num_key_value_heads"]
    channels, head_dim = inner + 2 * G * N, D // heads
    matrix = lambda *shape: rng.normal(0, 1.2 / np.sqrt(shape[-1]), shape)
    near_one = lambda n: 1 + rng.normal(0, 0.2, n)
    w = {"model.embed_tokens.weight": rng.normal(0, 0.5, (c["vocab_size"], D)), "model.norm.weight": near_one(D)}
    if not c["tie_word_embeddings"]: w["lm_head.weight"] = matrix(c["vocab_size"], D)
    for layer, kind in enumerate(c["layer_types"]):
        p = f"model.layers.{layer}."
        w[p + "input_layernorm.weight"], w[p + "post_attention_layernorm.weight"] = near_one(D), near_one(D)
        if kind == "mamba":
            m = p + "mamba."
            w[m + "in_proj.weight"], w[m + "out_proj.weight"] = matrix(inner + channels + H, D), matrix(D, inner)
            w[m + "conv1d.weight"] = rng.normal(0, 0.6, (channels, 1, c["mamba_d_conv"]))
            if c["mamba_conv_bias"]: w[m + "conv1d.bias"] = rng.normal(0, 0.3, channels)
            if c["mamba_proj_bias"]: w[m + "in_proj.bias"], w[m + "out_proj.bias"] = rng.normal(0, 0.3, inner + channels + H), rng.normal(0, 0.3, D)
            # From heads that remember nearly all to such that forget within a few tokens.
            w[m + "A_log"], w[m + "dt_bias"] = np.log(rng.uniform(0.02, 4, H)), rng.normal(-1, 1, H)
            w[m + "D"], w[m + "norm.weight"] = near_one(H), near_one(inner)
        else:
            for name, rows in (("q_proj", heads * head_dim), ("k_proj", kv * head_dim), ("v_proj", kv * head_dim), ("o_proj", D)):
                w[p + f"self_attn.{name}.weight"] = matrix(rows, D)
                if c["attention_bias"]: w[p + f"self_attn.{name}.bias"] = rng.normal(0, 0.3, rows)
        shared = c["shared_intermediate_size"]
        w[p + "shared_mlp.input_linear.weight"], w[p + "shared_mlp.output_linear.weight"] = matrix(2 * shared, D), matrix(D, shared)
        if c["num_local_experts"] > 0:
            E, width, m = c["num_local_experts"], c["intermediate_size"], p + "block_sparse_moe."
            w[m + "input_linear.weight"], w[m + "output_linear.weight"] = matrix(E, 2 * width, D), matrix(E, D, width)
            w[m + "router.layer.weight"] = matrix(E, D)
    return w


def rounded(x): return [float("%.9g" % v) for v in x]


def answers(name, config, weights, ids):
    model = Model(config, weights)
    z = model.logits(ids)
    top = np.sort(z, axis=-1)
    g = {"name": name, "model_type": config["model_type"], "seed": CASES[name][1],
         "convention": "float64 arithmetic on the stored weights, Mamba-2 in its dual form; made by tests/data/golden_granite_hybrid.py",
         "input_ids": list(ids), "argmax": z.argmax(-1).tolist(), "argmax_margin": rounded(top[:, -1] - top[:, -2]),
         "top1_logit": rounded(top[:, -1]), "final_logits": rounded(z[-1]), "greedy": [], "greedy_margin": []}
    sequence = list(ids)
    for _ in range(16):
        last = model.logits(sequence)[-1]
        best = np.sort(last)
        g["greedy"].append(int(last.argmax())); g["greedy_margin"].append(float("%.9g" % (best[-1] - best[-2])))
        sequence.append(g["greedy"][-1])
    g["router_margin"] = float("%.9g" % model.router_margin) if np.isfinite(model.router_margin) else None
    g["wrong_variant_max_abs_diff"] = {}
    for wrong in WRONG:
        apart = np.abs(Model(config, weights, wrong).logits(ids)[-1] - z[-1]).max()
        if apart > 0: g["wrong_variant_max_abs_diff"][wrong] = float("%.9g" % apart)
    return g


def make(folder):
    for name, (dtype, seed, config) in CASES.items():
        path = os.path.join(folder, name)
        os.makedirs(path, exist_ok=True)
        rng = np.random.default_rng(seed)
        write_safetensors(os.path.join(path, "model.safetensors"), random_weights(config, rng), dtype)
        with open(os.path.join(path, "config.json"), "w") as f: f.write(json.dumps(config, indent=2, sort_keys=True) + "\n")
        ids = [1] + rng.integers(3, config["vocab_size"], 39).tolist()
        g = answers(name, config, read_safetensors(os.path.join(path, "model.safetensors")), ids)
        shutil.copyfile(os.path.join(folder, "lfm2-a", "tokenizer.json"), os.path.join(path, "tokenizer.json"))
        g["text_vectors"] = json.load(open(os.path.join(folder, "lfm2-a", "golden.json")))["text_vectors"]
        with open(os.path.join(path, "golden.json"), "w") as f: f.write(json.dumps(g, indent=1) + "\n")
        print(name, "least margin of greedy", min(g["greedy_margin"]), "of argmax", min(g["argmax_margin"]), "of routing",
              g["router_margin"], g["wrong_variant_max_abs_diff"])


def check(folder):
    config = json.load(open(os.path.join(folder, "config.json")))
    weights = read_safetensors(os.path.join(folder, "model.safetensors"))
    g = json.load(open(os.path.join(folder, "golden.json")))
    for recurrent in (False, True):
        z = Model(config, weights, recurrent=recurrent).logits(g["input_ids"])
        print(folder, "token by token" if recurrent else "at once", "final logits max|diff| %.3g" % np.abs(z[-1] - np.array(g["final_logits"])).max(),
              "argmax", "ok" if z.argmax(-1).tolist() == g["argmax"] else "DIFF")


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "make": make(sys.argv[2])
    elif len(sys.argv) > 2 and sys.argv[1] == "check":
        for d in sys.argv[2:]: check(d)
    else: sys.exit(__doc__)
