#!/usr/bin/env python3
"""kill -9 at random moments: tests/faults/kill.py LMC ROOT TIMES [SEED]. Of compile, over a bundle that is there already, and
of pull, from a hub on this machine: the next run works, and until then the old bundle does."""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time


def main():
    lmc, root, times = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(int(sys.argv[4]) if len(sys.argv) > 4 else 1)
    work = tempfile.mkdtemp(prefix="kill-")
    env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    env.update( LMC_CACHE_DIR=f"{work}/cache", HOME=work, LMC_MACHINE=f"{root}/tests/data/machine.json",
               HF_HOME=f"{work}/hub")
    wrong = []

    def quietly(argv):
        return subprocess.run([lmc] + argv, cwd=work, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def killed(argv, longest):
        p = subprocess.Popen([lmc] + argv, cwd=work, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * longest)
        p.send_signal(signal.SIGKILL)
        return p.wait() == -signal.SIGKILL

    def must_work(what, argv):
        p = quietly(argv)
        if p.returncode != 0:
            wrong.append(f"{what}: {' '.join(argv)}: {p.stderr[-300:]}")

    compile_it = ["compile", f"{root}/models/tiny/gemma3.yaml", "-o", "out.lmc"]
    must_work("before", compile_it)
    start = time.monotonic()
    must_work("before", compile_it)
    took = time.monotonic() - start
    hits = 0
    for i in range(times):
        if rng.random() < 0.5:
            shutil.rmtree(f"{work}/cache", ignore_errors=True)  # so that kernels are compiled, too
        hits += killed(compile_it, 1.1 * took if os.path.isdir(f"{work}/cache") else 1.2)
        must_work(f"compile killed, round {i}", ["inspect", "out.lmc", "--verify"])
    must_work("compile at the end", compile_it)
    print(f"compile: killed {hits} of {times} times, {len(wrong)} wrong", flush=True)

    before = len(wrong)
    served = f"{work}/served"
    os.mkdir(served)
    repository = f"{root}/tests/data/golden/qwen2-window"
    server = subprocess.Popen([sys.executable, f"{root}/tests/cli/hub_server.py", served], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    try:
        port = server.stdout.readline().strip()
        shutil.copytree(repository, f"{served}/model")
        env["HF_ENDPOINT"] = f"http://127.0.0.1:{port}"
        hits = 0
        for i in range(times):
            shutil.rmtree(f"{work}/hub", ignore_errors=True)
            hits += killed(["pull", "test/model"], 0.05)
            must_work(f"pull killed, round {i}", ["pull", "test/model"])
    finally:
        server.kill()
    print(f"pull:    killed {hits} of {times} times, {len(wrong) - before} wrong", flush=True)
    for w in wrong[:20]:
        print("  " + w)
    shutil.rmtree(work)
    sys.exit(1 if wrong else 0)


main()
