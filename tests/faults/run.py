#!/usr/bin/env python3
"""Faults of the system: tests/faults/run.py LMC ROOT [--most N] [COMMAND…]. Each call of open, read, write, fsync, rename,
mmap, … in turn fails once, N of each kind at most (spread over the run; 0: all of them), with each error that fits. Then: a
message and exit code 1, or the same result as without the fault; what was there before is still there whole; nothing
half-written or temporary is left."""
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

ERRORS = {"open": ["EACCES", "EMFILE"], "fopen": ["EMFILE"], "read": ["EIO"], "pread": ["EIO"], "write": ["ENOSPC"],
          "pwrite": ["ENOSPC", "EIO"], "fsync": ["EIO"], "rename": ["EACCES"], "renameat2": ["EACCES"], "mmap": ["ENOMEM"],
          "ftruncate": ["ENOSPC"], "posix_fallocate": ["ENOSPC"], "mkdir": ["EACCES"],
          "symlink": ["EACCES"], "socket": ["EMFILE"], "connect": ["ECONNREFUSED"], "recv": ["ECONNRESET"], "send": ["EPIPE"]}


def digest(path):
    """Of a file, or of all files of a folder and their names; "" if there is nothing."""
    h = hashlib.sha256()
    if os.path.isdir(path):
        for name in sorted(os.listdir(path)):
            h.update(name.encode() + b"\0" + digest(f"{path}/{name}").encode())
    elif os.path.exists(path):
        with open(path, "rb") as f:
            h.update(f.read())
    else:
        return ""
    return h.hexdigest()


def preloaded(name, root, work):
    """tests/faults/NAME.c, compiled."""
    so = f"{work}/{name}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", so, f"{root}/tests/faults/{name}.c", "-ldl"], check=True)
    return so


class Command:
    """`argv` in a fresh folder that holds a copy of before[0] as before[1]. `results` are the files it writes, beside its
    output; `without` is what it says where it goes on without writing them. `lines` are its standard input. `cold`: no kernel
    is compiled already, which takes seconds: only where it is asked for by name."""

    def __init__(self, name, argv, results, before=None, without=None, lines="", cold=False):
        self.name, self.argv, self.results, self.before = name, argv, results, before
        self.without, self.lines, self.cold = without, lines, cold


class Run:
    def __init__(self, lmc, root, work):
        self.lmc, self.root, self.work = lmc, root, work
        self.tiny = f"{root}/models/tiny/gemma3.yaml"
        self.so = preloaded("inject", root, work)
        self.env = dict(os.environ, LMC_CACHE_DIR=f"{work}/cache", HOME=work, LMC_MACHINE=f"{root}/tests/data/machine.json")
        self.quiet([lmc, "compile", self.tiny, "-o", f"{work}/tiny.lmc"])
        self.quiet([lmc, "compile", self.tiny, "--quant", "none", "-o", f"{work}/old.lmc"])
        shutil.copytree(f"{root}/models/tiny/gemma3", f"{work}/checkpoint")
        with open(f"{work}/checkpoint/chat_template.jinja", "w") as f:
            f.write("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
        self.quiet([lmc, "compile", self.tiny, "--weights", f"{work}/checkpoint", "-o", f"{work}/chat.lmc"])
        with open(f"{work}/old.file", "w") as f:
            f.write("what was there before")

    def quiet(self, argv):
        subprocess.run(argv, check=True, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def commands(self):
        t, w = self.tiny, self.work
        return [
            Command("compile", ["compile", t, "-o", "out.lmc"], ["out.lmc"], before=("old.lmc", "out.lmc")),
            Command("compile, cold", ["compile", t, "-o", "out.lmc"], ["out.lmc"], before=("old.lmc", "out.lmc"), cold=True),
            Command("export", ["export", t, "--gguf", "out.gguf", "--type", "q8_0"], ["out.gguf"],
                    before=("old.file", "out.gguf")),
            Command("opt", ["compile", t, "--emit=opt", "-o", "out.lmir"], ["out.lmir"], before=("old.file", "out.lmir")),
            Command("run", ["run", f"{w}/tiny.lmc", "--prompt", "ROMEO:", "--max-tokens", "8"], []),
            Command("prompt-cache", ["run", f"{w}/tiny.lmc", "--prompt", "ROMEO:", "--max-tokens", "8", "--prompt-cache",
                                     "p.cache"], ["p.cache"], without="the prompt is not stored: "),
            Command("chat", ["chat", f"{w}/chat.lmc", "--max-tokens", "4"], ["talk.json"], before=("old.file", "talk.json"),
                    without="cannot", lines="hello\n/save talk.json\n"),
            Command("explore", ["explore", f"{w}/tiny.lmc", "-o", "page.html"], ["page.html"], before=("old.file", "page.html")),
            Command("tokenize", ["tokenize", f"{self.root}/tests/data/golden/gemma3-b/tokenizer.json", "-p", "To be"], []),
            Command("eval", ["eval", f"{w}/tiny.lmc", "--text", f"{self.root}/tests/cli/tiny.sh"], []),
        ]

    def once(self, command, so, fault):
        folder = tempfile.mkdtemp(dir=self.work)
        cache = f"{folder}/cache" if command.cold else f"{self.work}/cache"
        if command.before:
            source, to = command.before
            (shutil.copytree if os.path.isdir(f"{self.work}/{source}") else shutil.copy)(f"{self.work}/{source}", f"{folder}/{to}")
        env = dict(self.env, LMC_CACHE_DIR=cache, LD_PRELOAD=so, **fault)
        p = subprocess.run([self.lmc] + command.argv, cwd=folder, env=env, input=command.lines.encode(), capture_output=True,
                           timeout=300)
        results = {r: digest(f"{folder}/{r}") for r in command.results}
        left = sorted(set(os.listdir(folder)) - set(command.results) - {"cache"})
        left += [n for n in os.listdir(cache) if ".tmp" in n] if os.path.isdir(cache) else []
        shutil.rmtree(folder)
        return p.returncode, p.stdout, p.stderr.decode(errors="replace"), results, left

    def expected(self, command, so, count):
        """What `command` prints and writes without a fault, and what was there before. Calls are counted in the file `count`."""
        if os.path.exists(count):
            os.remove(count)
        code, out, err, results, _ = self.once(command, so, {"FAULT_COUNT": count})
        assert code == 0, err
        before = {r: "" for r in command.results}
        if command.before:
            before[command.before[1]] = digest(f"{self.work}/{command.before[0]}")
        return out, results, before

    @staticmethod
    def verdict(command, expected, got):
        """What is wrong with what once() returned; "" if nothing is."""
        right_out, right, before = expected
        code, out, err, results, left = got
        if code not in (0, 1):
            return f"exit code {code}: {err[-300:]}"
        if code == 1 and "lmc: " not in err:
            return f"no message of lmc: {err[-300:]}"
        if code == 0 and out == right_out and command.without and command.without in err:
            return "" if results in (before, right) else f"half-written: {err[-300:]}"
        if code == 0 and (out != right_out or results != right):
            return f"another result without a word: {err[-300:]}"
        if code == 1 and any(results[r] not in (before[r], right[r]) for r in results):
            return f"what was there before is gone or half-written: {err[-300:]}"
        return f"left behind {left}" if left else ""

    def check(self, command, most):
        counts = f"{self.work}/counts"
        expected = self.expected(command, self.so, counts)
        with open(counts) as f:
            calls = [(name, int(n)) for name, n in (line.split() for line in f)]
        tried, wrong, tolerated = 0, [], 0
        for name, n in calls:
            step = max(1, -(-n // most)) if most else 1
            for at in range(1, n + 1, step):
                for error in ERRORS[name]:
                    tried += 1
                    fault = {"FAULT_CALL": name, "FAULT_AT": str(at), "FAULT_ERRNO": str(getattr(errno, error))}
                    got = self.once(command, self.so, fault)
                    if problem := self.verdict(command, expected, got):
                        wrong.append(f"{command.name}: {name} {at} of {n}, {error}: {problem}")
                    tolerated += got[0] == 0
        report(command.name, sum(n for _, n in calls), tried, tolerated, wrong)
        return not wrong


def report(name, calls, tried, tolerated, wrong):
    print(f"{name:<14}{calls:>8} calls {tried:>6} faults {tolerated:>6} without effect {len(wrong):>4} wrong", flush=True)
    for w in wrong:
        print("  " + w, flush=True)


def main():
    arguments, most = sys.argv[1:], 0
    if "--most" in arguments:
        i = arguments.index("--most")
        most = int(arguments[i + 1])
        del arguments[i:i + 2]
    work = tempfile.mkdtemp(prefix="faults-")
    try:
        run = Run(os.path.abspath(arguments[0]), os.path.abspath(arguments[1]), work)
        good = [run.check(c, most) for c in run.commands() if c.name in arguments[2:] or not (arguments[2:] or c.cold)]
    finally:
        shutil.rmtree(work)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
