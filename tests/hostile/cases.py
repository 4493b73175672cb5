"""What is tried: each case makes its input in a folder and says the command, what it is refused with and how large it is.
A new one is a function with the decorator `case`."""
import hashlib
import json
import os
import shutil
import struct
import subprocess

ALL = []


class Case:
    def __init__(self, make, text, codes, seconds, megabytes):
        self.name, self.make = make.__name__, make
        self.text, self.codes, self.seconds, self.megabytes = text, codes, seconds, megabytes


def case(text, codes=(1,), seconds=None, megabytes=None):
    """`text` must be in the message. `seconds` and `megabytes` are limits of its own, where what is asked for is work and
    not a refusal."""
    def add(make):
        ALL.append(Case(make, text, codes, seconds, megabytes))
        return make
    return add


class Tools:
    def __init__(self, lmc, root, work, env):
        self.lmc, self.root, self.work, self.env = lmc, root, work, env
        self.bundle_made = None

    def tiny(self, name="gemma3"):
        return f"{self.root}/models/tiny/{name}.yaml"

    def golden(self, name, folder):
        """A copy of a small checkpoint, to be spoilt."""
        to = f"{folder}/{name}"
        shutil.copytree(f"{self.root}/tests/data/golden/{name}", to)
        return to

    def bundle(self, folder):
        """A copy of the tiny model's bundle."""
        if not self.bundle_made:
            self.bundle_made = f"{self.work}/tiny.lmc"
            subprocess.run([self.lmc, "compile", self.tiny(), "-o", self.bundle_made], check=True, env=self.env,
                           stderr=subprocess.DEVNULL)
        shutil.copytree(self.bundle_made, f"{folder}/b.lmc")
        return f"{folder}/b.lmc"


def write(path, text):
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def size(path):
    return os.path.getsize(path)


def edit_json(path, change):
    with open(path) as f:
        value = json.load(f)
    change(value)
    write(path, json.dumps(value))


def vouch(bundle):
    """Makes the manifest fit what the bundle's files now hold."""
    def change(manifest):
        for name, entry in manifest["files"].items():
            with open(f"{bundle}/{name}", "rb") as f:
                data = f.read()
            entry.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    edit_json(f"{bundle}/manifest.json", change)


def safetensors(header):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


def spine():
    """64 brackets, each with a thousand operators behind it."""
    return "(" * 60 + "1" + ("+1" * 1000 + ")") * 60


# --- JSON ---------------------------------------------------------------------------------------------------------------

@case("nested more than 64 deep")
def config_json_nested(t, folder):
    c = t.golden("gpt2-a", folder)
    n = 200_000
    write(f"{c}/config.json", '{"model_type": "gpt2", "n_layer": ' + "[" * n + "]" * n + "}")
    return ["compile", c, "-o", "x.lmc"], size(f"{c}/config.json")


@case("more memory than a file of its size may")
def config_json_of_empty_lists(t, folder):
    c = t.golden("gpt2-a", folder)
    write(f"{c}/config.json", '{"model_type": "gpt2", "n_layer": [' + "[]," * 2_000_000 + "[]]}")
    return ["compile", c, "-o", "x.lmc"], size(f"{c}/config.json")


@case("nested more than 64 deep")
def shard_index_nested(t, folder):
    c = t.golden("gpt2-a", folder)
    os.remove(f"{c}/model.safetensors")
    write(f"{c}/model.safetensors.index.json", '{"weight_map": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}")
    return ["compile", c, "-o", "x.lmc"], size(f"{c}/model.safetensors.index.json")


@case("which is no token id")
def eos_beyond_32_bits(t, folder):
    c = t.golden("gpt2-a", folder)
    edit_json(f"{c}/config.json", lambda j: j.update(eos_token_id=4294967301))
    return ["compile", c, "-o", "x.lmc"], 0


# --- text forms ---------------------------------------------------------------------------------------------------------

@case("too long an expression")
def model_yaml_spine(t, folder):
    y = write(f"{folder}/m.yaml", f"extends: {t.tiny('gpt2')}\nlet:\n  deep: {spine()}\n")
    return ["compile", y, "--emit=opt"], size(y)


@case("too long an expression")
def lmir_spine(t, folder):
    g = write(f"{folder}/g.lmir", "graph @g (%x: f32[T,4]) {\n  %y = scale(%x) {by=" + spine() + "}\n  return %y\n}\n")
    return ["opt", g], size(g)


@case("too long an expression")
def lmpass_spine(t, folder):
    p = write(f"{folder}/p.lmpass", 'pass p "x"\nmatch {\n  %y = scale(%x) {by=$by}\n}\nwhen "x": $by < ' + spine() +
              "\nrewrite {\n  %y = silu(%x)\n}\n")
    return ["passes", "--pass", p], size(p)


def end_is_missing(t, folder, statement):
    """A long graph that is well-formed as far as it goes. What is read of it is not kept."""
    g = write(f"{folder}/g.lmir", "graph @g (%x: f32[T,4]) {\n" + "".join(statement(i) for i in range(150_000)))
    return ["opt", g], size(g)


@case("expected 'return' and a closing brace")
def lmir_of_many_statements(t, folder):
    return end_is_missing(t, folder, lambda i: f"%v{i}=silu(%x)\n")


@case("expected 'return' and a closing brace")
def lmir_of_many_weights(t, folder):
    return end_is_missing(t, folder, lambda i: f"weight @w{i} :f32[4]\n")


@case("expected 'return' and a closing brace")
def lmir_of_many_attributes(t, folder):
    return end_is_missing(t, folder, lambda i: "%a=b(){c=[1,2,3,4,5,6,7,8]}\n")


@case("expected 'return' and a closing brace")
def lmir_of_many_groups(t, folder):
    return end_is_missing(t, folder, lambda i: "%a=group(%x):f32[T,4]{inputs(%x:f32[T,4]) %y=silu(%x) return %y}\n")


def chain(n, name, type_text):
    lines = ["graph @g (%x: f32[T,4]) {", f"  %{name(0)} = silu(%x){type_text}"]
    lines += [f"  %{name(i)} = silu(%{name(i - 1)}){type_text}" for i in range(1, n)]
    return "\n".join(lines + [f"  return %{name(n - 1)}", "}"])


@case("the graph takes more memory than a text of its size may")
def lmir_of_more_ops_than_its_size(t, folder):
    g = write(f"{folder}/g.lmir", chain(200_000, lambda i: f"v{i}", ""))
    return ["opt", g, "--svg", "-o", "g.svg"], size(g)


@case("", codes=(0,))
def lmir_of_groups_in_groups(t, folder):
    inner = "%p = silu(%x)\n%q = silu(%p)\nreturn %p, %q"
    for _ in range(31):
        inner = "%p, %q = group(%x) : f32[T,4], f32[T,4] {inputs (%x: f32[T,4])\n" + inner + "}\nreturn %p, %q"
    g = write(f"{folder}/g.lmir", "graph @g (%x: f32[T,4]) {\n" + inner + "}\n")
    return ["opt", g, "-o", "out.lmir"], size(g)


@case("a statement of more than 131072 parts")
def lmir_with_a_long_list(t, folder):
    g = write(f"{folder}/g.lmir", "graph @g (%x: f32[T,4]) {\n%y=split(%x){sizes=[" + "1," * 2_000_000)
    return ["opt", g], size(g)


@case("a statement of more than 131072 parts")
def lmir_with_many_operands(t, folder):
    g = write(f"{folder}/g.lmir", "graph @g (%x: f32[T,4]) {\n%y=concat(" + "a()," * 1_000_000)
    return ["opt", g], size(g)


@case("a statement of more than 131072 parts")
def lmir_with_many_results(t, folder):
    g = write(f"{folder}/g.lmir", "graph @g (%x: f32[T,4]) {\n" + "%y," * 1_000_000)
    return ["opt", g], size(g)


@case("may have 1 MB at most")
def lmpass_of_many_statements(t, folder):
    p = write(f"{folder}/p.lmpass", 'pass p "x"\nmatch {\n' + "  %y = scale(%x)\n" * 200_000 + "}\n")
    return ["passes", "--pass", p], size(p)


@case("", codes=(0,), seconds=15, megabytes=1500)
def svg_of_a_long_chain(t, folder):
    g = write(f"{folder}/g.lmir", chain(100_000, lambda i: f"value_{i:07d}", " : f32[T,4]"))
    return ["opt", g, "--passes=none", "--svg", "-o", "g.svg"], size(g)


@case("too long for a picture", seconds=15, megabytes=1500)
def svg_of_long_edges(t, folder):
    n = 6000
    lines = ["graph @g (%x: f32[T,4]) {", "  %v0 = silu(%x)"]
    lines += [f"  %v{i} = add(%v{i - 1}, %x)" for i in range(1, n)]
    g = write(f"{folder}/g.lmir", "\n".join(lines + [f"  return %v{n - 1}", "}"]))
    return ["opt", g, "--passes=none", "--svg", "-o", "g.svg"], size(g)


@case("what aliases repeat, take more than 24 MB")
def yaml_aliases_of_a_long_text(t, folder):
    y = write(f"{folder}/m.yaml", f"extends: {t.tiny('gpt2')}\nlet:\n  a: &a \"{'x' * 2**20}\"\n  b: [" +
              "*a," * 99_000 + "*a]\n")
    return ["compile", y, "--emit=opt"], size(y)


@case("the expressions take more than 1000000 steps")
def let_that_doubles(t, folder):
    lets = ["  a0: [1, 2]"] + [f"  a{i}: [$a{i - 1}, $a{i - 1}]" for i in range(1, 41)]
    y = write(f"{folder}/m.yaml", f"extends: {t.root}/models/gpt2.yaml\nlet:\n" + "\n".join(lets) + "\n")
    return ["compile", y, "--weights", "none", "--emit=opt"], size(y)


@case("the model has more than 131072 tensors", seconds=3, megabytes=256)
def many_experts_in_many_layers(t, folder):
    y = write(f"{folder}/m.yaml", f"extends: {t.root}/models/mixtral.yaml\nsizes:\n  huge: {{num_hidden_layers: 4096, "
              "num_local_experts: 4096, hidden_size: 64, intermediate_size: 64, num_attention_heads: 4, "
              "num_key_value_heads: 4}\n")
    return ["compile", y, "--size", "huge", "--weights", "none", "--emit=opt"], size(y)


@case("", codes=(0,), seconds=3, megabytes=2000)
def layers_4096(t, folder):
    y = write(f"{folder}/m.yaml", f"extends: {t.root}/models/llama.yaml\nsizes:\n  deep: {{num_hidden_layers: 4096, "
              "hidden_size: 64, intermediate_size: 64, num_attention_heads: 4, num_key_value_heads: 4}\n")
    return ["compile", y, "--size", "deep", "--weights", "none", "--passes=none", "--emit=opt"], size(y)


@case("", codes=(0,), seconds=12, megabytes=1000)
def layers_1024_optimised(t, folder):
    y = write(f"{folder}/m.yaml", f"extends: {t.root}/models/llama.yaml\nsizes:\n  deep: {{num_hidden_layers: 1024, "
              "hidden_size: 64, intermediate_size: 64, num_attention_heads: 4, num_key_value_heads: 4}\n")
    return ["compile", y, "--size", "deep", "--weights", "none", "--emit=opt"], size(y)


# --- bundles ------------------------------------------------------------------------------------------------------------

@case("lies outside what it names")
def plan_with_a_buffer_far_away(t, folder):
    b = t.bundle(folder)

    def change(plan):
        next(o for s in plan["decode"]["stages"] for o in s["operands"] if o["space"] == "arena")["buffer"] = 10**12
    edit_json(f"{b}/plan.json", change)
    vouch(b)
    return ["run", b, "--ids", "2", "--max-tokens", "2"], size(f"{b}/plan.json")


@case("does not have the bytes that its shape makes")
def plan_with_a_short_cache(t, folder):
    b = t.bundle(folder)
    edit_json(f"{b}/plan.json", lambda plan: plan["caches"][0].update(bytes=64))
    vouch(b)
    return ["run", b, "--ids", "2", "--max-tokens", "2"], size(f"{b}/plan.json")


@case("does not have the bytes that its shape makes")
def plan_with_a_cache_of_another_format(t, folder):
    b = t.bundle(folder)
    edit_json(f"{b}/plan.json", lambda plan: plan["caches"][0].update(dtype="kv_f32"))
    vouch(b)
    return ["run", b, "--ids", "2", "--max-tokens", "2"], size(f"{b}/plan.json")


@case("does not hold whole pages of positions")
def plan_with_part_of_a_page(t, folder):
    b = t.bundle(folder)

    def change(plan):
        for c in plan["caches"]:
            c.update(dtype="kv_q8_0", capacity=c["capacity"] + 16)
            c["bytes"] = c["capacity"] * c["kv_heads"] * (-(-c["key_dim"] // 32) - (-c["value_dim"] // 32)) * 34

    edit_json(f"{b}/plan.json", change)
    vouch(b)
    return ["run", b, "--ids", "2", "--max-tokens", "2"], size(f"{b}/plan.json")


@case("which its manifest does not list")
def bundle_with_an_unlisted_template(t, folder):
    b = t.bundle(folder)
    write(f"{b}/chat_template.jinja", "{{ 'x' }}")
    return ["run", b, "--ids", "2", "--max-tokens", "2"], 0


@case("may be written by others, and a bundle is a program")
def newest_bundle_that_others_may_write(t, folder):
    b = t.bundle(folder)
    os.chmod(b, 0o777)
    return ["run", "--ids", "2", "--max-tokens", "2"], 0


@case("'applications' is string, expected number")
def report_with_markup(t, folder):
    b = t.bundle(folder)
    edit_json(f"{b}/report.json", lambda j: j["passes"][0].update(applications="<img src=x onerror=alert(1)>"))
    vouch(b)
    return ["explore", b, "-o", "page.html"], 0


@case("holds control characters")
def manifest_with_escape_sequences(t, folder):
    b = t.bundle(folder)
    edit_json(f"{b}/manifest.json", lambda j: j.update(source="a\x1b[2J"))
    return ["inspect", b], 0


# --- safetensors, GGUF --------------------------------------------------------------------------------------------------

@case("is not a regular file")
def fifo_for_weights(t, folder):
    c = t.golden("gpt2-a", folder)
    os.remove(f"{c}/model.safetensors")
    os.mkfifo(f"{c}/model.safetensors")
    return ["compile", c, "-o", "x.lmc"], 0


@case("is not a regular file")
def fifo_for_a_config(t, folder):
    c = t.golden("gpt2-a", folder)
    os.remove(f"{c}/config.json")
    os.mkfifo(f"{c}/config.json")
    return ["compile", c, "-o", "x.lmc"], 0


@case("is not a regular file")
def fifo_for_a_tokenizer(t, folder):
    os.mkfifo(f"{folder}/tokenizer.json")
    return ["tokenize", f"{folder}/tokenizer.json", "-p", "x"], 0


@case("shape must be a list of whole numbers")
def safetensors_shape_that_is_a_number(t, folder):
    c = t.golden("gpt2-a", folder)
    f = write(f"{c}/model.safetensors",
              safetensors({"a": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}}) + b"\0" * 4)
    return ["compile", c, "-o", "x.lmc"], size(f)


@case("its name holds control characters")
def safetensors_name_with_escape_sequences(t, folder):
    f = write(f"{folder}/a.safetensors",
              safetensors({"a\x1b]0;x\x07": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}) + b"\0" * 4)
    return ["inspect", f], size(f)


def gguf_text(s):
    s = s if isinstance(s, bytes) else s.encode()
    return struct.pack("<Q", len(s)) + s


@case("truncated or damaged")
def gguf_with_a_long_key(t, folder):
    elements = 400_000
    f = write(f"{folder}/a.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + gguf_text("k" * 65535) +
              struct.pack("<IIQ", 9, 8, elements) + gguf_text("") * elements)
    return ["inspect", f], size(f)


# --- tokenizers ---------------------------------------------------------------------------------------------------------

def tokenizer_json(t, folder, change):
    with open(f"{t.root}/tests/data/golden/gpt2-a/tokenizer.json") as f:
        value = json.load(f)
    change(value)
    return write(f"{folder}/tokenizer.json", json.dumps(value))


def encode(file, text="aaaaaaaaaa"):
    return ["tokenize", file, "-p", text], size(file)


@case("the text stands in the template twice")
def tokenizer_with_templates_that_double(t, folder):
    a = {"Sequence": {"id": "A", "type_id": 0}}
    step = {"type": "TemplateProcessing", "single": [a, a], "pair": [a], "special_tokens": {}}
    return encode(tokenizer_json(t, folder, lambda j: j.update(
        post_processor={"type": "Sequence", "processors": [step] * 60})))


@case("bytes of 10")
def tokenizer_whose_replacements_multiply(t, folder):
    step = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 10}
    return encode(tokenizer_json(t, folder, lambda j: j.update(
        normalizer={"type": "Sequence", "normalizers": [step] * 12})))


def with_added_token(t, folder, token_id, content):
    return encode(tokenizer_json(t, folder, lambda j: j["added_tokens"].append(
        {"id": token_id, "content": content, "special": True})))


@case("far above the")
def tokenizer_with_a_huge_id(t, folder):
    return with_added_token(t, folder, 2**24 - 1, "<x>")


@case("more than 1024 bytes")
def tokenizer_with_a_long_added_token(t, folder):
    return with_added_token(t, folder, 3000, "a" * 400_000)


@case("takes too long", seconds=10)  # a second of the thread's own time, looked at now and then
def tokenizer_whose_regex_never_ends(t, folder):
    step = {"type": "Replace", "pattern": {"Regex": "(?:a?){18}a{18}[bc]"}, "content": "x"}

    def change(j):
        j["normalizer"] = step
        j["added_tokens"] += [{"id": 2000 + i, "content": "a" * 1000 + str(i), "special": False, "normalized": True}
                              for i in range(300)]
    return encode(tokenizer_json(t, folder, change))


# --- chat templates -----------------------------------------------------------------------------------------------------

def chat(t, folder, source):
    """A bundle whose checkpoint has this template."""
    c = f"{folder}/c"
    shutil.copytree(f"{t.root}/models/tiny/gemma3", c)
    write(f"{c}/chat_template.jinja", source)
    subprocess.run([t.lmc, "compile", t.tiny(), "--weights", c, "-o", f"{folder}/b.lmc"], check=True, env=t.env,
                   stderr=subprocess.DEVNULL)
    return ["run", f"{folder}/b.lmc", "--chat", "--prompt", "x", "--max-tokens", "1"], len(source)


LONG = "{% set ns = namespace(s='x') %}{% for i in range(20) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}"


@case("takes too many steps", seconds=2, megabytes=256)
def template_that_collects_texts(t, folder):
    return chat(t, folder, LONG + "{% set l = [ns.s] %}{% for i in range(30) %}{% set l = l + l %}"
                "{% set ns.l = l %}{% for j in range(1000) %}{% set ns.m = (ns.m or []) + [ns.s ~ j] %}{% endfor %}{% endfor %}{{ l }}")


@case("takes too many steps", seconds=2, megabytes=256)
def template_that_searches_long_texts(t, folder):
    return chat(t, folder, LONG + "{% for i in range(100000) %}{% if (ns.s ~ 'y') in ns.s %}{% endif %}{% endfor %}")


@case("takes too many steps", seconds=2, megabytes=256)
def template_that_tests_long_lists(t, folder):
    return chat(t, folder, "{% set l = range(90000) %}{% for i in range(90000) %}{% if 'x' is in(l) %}{% endif %}{% endfor %}")


# --- generating ---------------------------------------------------------------------------------------------------------

@case("more than 64 MB")
def allowed_ids_without_end(t, folder):
    with open(f"{folder}/ids.txt", "wb") as f:
        f.truncate(2 ** 40)
    return ["run", t.bundle(folder), "--prompt", "x", "--allowed-ids", f"{folder}/ids.txt"], 0


# --- export -------------------------------------------------------------------------------------------------------------

@case("", codes=(0,), seconds=15, megabytes=96)  # the model's memory among it
def grammar_with_a_long_literal(t, folder):
    g = write(f"{folder}/g.gbnf", 'root ::= "' + "a" * 250_000 + '"\n')
    return ["run", t.bundle(folder), "--prompt", "a", "--max-tokens", "4", "--grammar", g], size(g)


@case("added_tokens: expected a list, found number")
def export_of_a_spoilt_tokenizer(t, folder):
    c = t.golden("gpt2-a", folder)
    edit_json(f"{c}/tokenizer.json", lambda j: j.update(added_tokens=5))
    return ["export", c, "--gguf", f"{folder}/x.gguf"], size(f"{c}/tokenizer.json")
