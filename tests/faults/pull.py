#!/usr/bin/env python3
"""Faults of the system while a model is fetched: tests/faults/pull.py LMC ROOT [--most N]. As run.py does it, and calls of the
network and allocations fail, too; the hub is tests/cli/hub_server.py. After each fault: a message and exit code 1, or all of
the model; no file under a name that says it is whole and is not; and the next call, which continues what was begun, gets the
right files."""
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

from memory import sample
from run import ERRORS, digest, preloaded, report

COMMIT = "c0ffee" + "0" * 34


class Puller:
    def __init__(self, lmc, root, work):
        self.lmc, self.root, self.work = lmc, root, work
        self.inject, self.memory = (preloaded(name, root, work) for name in ("inject", "memory"))
        served = f"{work}/served"
        os.mkdir(served)
        shutil.copytree(f"{root}/tests/data/golden/qwen2-window", f"{served}/model")
        with open(f"{served}/model.fault", "w") as f:
            f.write('{"cut": 60000}')  # so that downloads are continued without a fault of ours, too
        self.server = subprocess.Popen([sys.executable, f"{root}/tests/cli/hub_server.py", served], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and not k.startswith("HF_")}
        self.env = dict(env, HOME=work, HF_ENDPOINT=f"http://127.0.0.1:{self.server.stdout.readline().strip()}")

    def pull(self, cache, so, fault, retries):
        env = dict(self.env, HF_HUB_CACHE=cache, **fault)
        if fault:
            env["LD_PRELOAD"] = so
        p = subprocess.run([self.lmc, "pull", "test/model", "--retries", str(retries)], cwd=self.work, env=env,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        return p.returncode, p.stderr.decode(errors="replace")

    @staticmethod
    def content(cache):
        """Of the model as others find it; "" if it is not there."""
        at = f"{cache}/models--test--model"
        return digest(f"{at}/snapshots/{COMMIT}") + digest(f"{at}/refs") if os.path.exists(f"{at}/refs/main") else ""

    @staticmethod
    def wrong_blobs(cache):
        blobs = f"{cache}/models--test--model/blobs"
        for name in os.listdir(blobs) if os.path.isdir(blobs) else []:
            if name.endswith(".incomplete"):
                continue
            with open(f"{blobs}/{name}", "rb") as f:
                data = f.read()
            small = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            if name not in (small, hashlib.sha256(data).hexdigest()):
                yield name

    def once(self, so, fault, right, retries):
        """Is the model there, and what is wrong ("" if nothing is)."""
        cache = tempfile.mkdtemp(dir=self.work)
        code, err = self.pull(cache, so, fault, retries)
        there = self.content(cache)
        if code not in (0, 1):
            problem = f"exit code {code}: {err[-300:]}"
        elif code == 1 and "lmc: " not in err:
            problem = f"no message of lmc: {err[-300:]}"
        elif code == 0 and there != right or there not in ("", right):
            problem = f"exit code {code} with another model: {err[-300:]}"
        elif blobs := list(self.wrong_blobs(cache)):
            problem = f"not what their names say: {blobs}"
        else:
            again, err = self.pull(cache, None, {}, 5)
            left = [n for _, _, files in os.walk(cache) for n in files if n.endswith((".incomplete", ".new")) or ".tmp" in n]
            problem = ""
            if again != 0 or self.content(cache) != right:
                problem = f"the next call: exit code {again}: {err[-300:]}"
            elif left:
                problem = f"left behind {left}"
        shutil.rmtree(cache)
        return code == 0, problem

    def count(self, so):
        """How often each function is called."""
        counts, cache = f"{self.work}/counts", tempfile.mkdtemp(dir=self.work)
        code, err = self.pull(cache, so, {"FAULT_COUNT": counts}, 5)
        assert code == 0, err
        with open(counts) as f:
            calls = [(name, int(n)) for name, n in (line.split() for line in f)]
        os.remove(counts)
        return calls, self.content(cache)

    def check(self, title, calls, right, so, faults):
        tolerated, wrong = 0, []
        for i, (what, fault) in enumerate(faults):
            # What passes may be tried again, which takes half a second: every fourth time.
            there, problem = self.once(so, fault, right, 1 if i % 4 == 3 else 0)
            tolerated += there
            if problem:
                wrong.append(f"pull: {what}: {problem}")
        report(title, sum(n for _, n in calls), len(faults), tolerated, wrong)
        return not wrong

    def calls(self, most):
        calls, right = self.count(self.inject)
        faults = []
        for name, n in calls:
            step = max(1, -(-n // most)) if most else 1
            faults += [(f"{name} {at} of {n}, {error}",
                        {"FAULT_CALL": name, "FAULT_AT": str(at), "FAULT_ERRNO": str(getattr(errno, error))})
                       for at in range(1, n + 1, step) for error in ERRORS[name]]
        return self.check("pull", calls, right, self.inject, faults)

    def allocations(self, most):
        calls, right = self.count(self.memory)
        n = calls[0][1]
        faults = [(f"allocation {at} of {n}{' and all after it' if i % 2 else ''}",
                   {"FAULT_AT": str(at), **({"FAULT_ALL": "1"} if i % 2 else {})}) for i, at in enumerate(sample(n, most))]
        return self.check("pull, memory", calls, right, self.memory, faults)


def main():
    most = int(sys.argv[4]) if sys.argv[3:4] == ["--most"] else 0
    work = tempfile.mkdtemp(prefix="pull-")
    puller = Puller(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), work)
    try:
        good = [puller.calls(most), puller.allocations(5 * most or 400)]
    finally:
        puller.server.kill()
        puller.server.wait()
        shutil.rmtree(work)
    sys.exit(0 if all(good) else 1)


main()
