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
          "ftruncate": ["ENOSPC"], "posix_fallocate": ["ENOSPC"], "mkdir": ["EACCES"]}


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


class Command:
    """`argv` in a fresh folder that holds a copy of before[0] as before[1]. `results` are the files it writes, beside its
    output; `without` is what it says where it goes on without writing them. `lines` are its standard input."""

    def __init__(self, name, argv, results, before=None, without=None, lines=""):
        self.name, self.argv, self.results, self.before = name, argv, results, before
        self.without, self.lines = without, lines


class Run:
    def __init__(self, lmc, root, work):
        self.lmc, self.root, self.work = lmc, root, work
        self.tiny = f"{root}/models/tiny/gemma3.yaml"
        self.so = f"{work}/inject.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", self.so, f"{root}/tests/faults/inject.c", "-ldl"], check=True)
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

    def once(self, command, fault):
        folder = tempfile.mkdtemp(dir=self.work)
        cache = f"{self.work}/cache"
        if command.before:
            source, to = command.before
            (shutil.copytree if os.path.isdir(f"{self.work}/{source}") else shutil.copy)(f"{self.work}/{source}", f"{folder}/{to}")
        p = subprocess.run([self.lmc] + command.argv, cwd=folder, env=dict(self.env, LD_PRELOAD=self.so, **fault),
                           input=command.lines.encode(), capture_output=True, timeout=300)
        results = {r: digest(f"{folder}/{r}") for r in command.results}
        left = sorted(set(os.listdir(folder)) - set(command.results))
        left += [n for n in os.listdir(cache) if ".tmp" in n]
        shutil.rmtree(folder)
        return p.returncode, p.stdout, p.stderr.decode(errors="replace"), results, left

    def check(self, command, most):
        counts = f"{self.work}/counts"
        if os.path.exists(counts):
            os.remove(counts)
        code, right_out, err, right, _ = self.once(command, {"FAULT_COUNT": counts})
        assert code == 0, err
        before = {r: "" for r in command.results}
        if command.before:
            before[command.before[1]] = digest(f"{self.work}/{command.before[0]}")
        with open(counts) as f:
            calls = [(name, int(n)) for name, n in (line.split() for line in f)]
        tried, wrong, tolerated = 0, [], 0
        for name, n in calls:
            step = max(1, -(-n // most)) if most else 1
            for at in range(1, n + 1, step):
                for error in ERRORS[name]:
                    tried += 1
                    fault = {"FAULT_CALL": name, "FAULT_AT": str(at), "FAULT_ERRNO": str(getattr(errno, error))}
                    code, out, err, results, left = self.once(command, fault)
                    where = f"{command.name}: {name} {at} of {n}, {error}"
                    if code not in (0, 1):
                        wrong.append(f"{where}: exit code {code}: {err[-300:]}")
                    elif code == 1 and "lmc: " not in err:
                        wrong.append(f"{where}: no message of lmc: {err[-300:]}")
                    elif code == 0 and out == right_out and command.without and command.without in err:
                        if results not in (before, right):
                            wrong.append(f"{where}: half-written: {err[-300:]}")
                    elif code == 0 and (out != right_out or results != right):
                        wrong.append(f"{where}: another result without a word: {err[-300:]}")
                    elif code == 1 and any(results[r] not in (before[r], right[r]) for r in results):
                        wrong.append(f"{where}: what was there before is gone or half-written: {err[-300:]}")
                    elif left:
                        wrong.append(f"{where}: left behind {left}")
                    tolerated += code == 0
        print(f"{command.name:<14}{sum(n for _, n in calls):>8} calls {tried:>6} faults {tolerated:>6} without effect "
              f"{len(wrong):>4} wrong", flush=True)
        for w in wrong:
            print("  " + w, flush=True)
        return not wrong


def main():
    arguments, most = sys.argv[1:], 0
    if "--most" in arguments:
        i = arguments.index("--most")
        most = int(arguments[i + 1])
        del arguments[i:i + 2]
    work = tempfile.mkdtemp(prefix="faults-")
    try:
        run = Run(os.path.abspath(arguments[0]), os.path.abspath(arguments[1]), work)
        good = [run.check(c, most) for c in run.commands() if not arguments[2:] or c.name in arguments[2:]]
    finally:
        shutil.rmtree(work)
    sys.exit(0 if all(good) else 1)


main()
