#!/usr/bin/env python3
"""Hostile input: tests/hostile/run.py LMC ROOT [NAME…]. What each case must be refused with, and within which memory and
time (DESIGN §11): 64 MB and 8 bytes a byte of input above what lmc takes to start, 0.5 s and 1 us a byte. --slow N
allows N times as much of both, for builds under sanitizers."""
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases  # noqa: E402


def run(argv, folder, env, seconds):
    """Exit code, stderr, CPU seconds and peak bytes of one command."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 20, int(seconds) + 20))
    with open(os.path.join(folder, "out.txt"), "wb") as out, open(os.path.join(folder, "err.txt"), "wb") as err:
        p = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env,
                             preexec_fn=limit)
        deadline = time.monotonic() + 120 + 10 * seconds
        while True:
            pid, status, usage = os.wait4(p.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                p.kill()
                _, status, usage = os.wait4(p.pid, 0)
                break
            time.sleep(0.005)
        p.returncode = 0
    with open(os.path.join(folder, "err.txt"), "rb") as f:
        text = f.read()
    return os.waitstatus_to_exitcode(status), text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main():
    arguments = sys.argv[1:]
    slow = 1.0
    if "--slow" in arguments:
        at = arguments.index("--slow")
        slow = float(arguments[at + 1])
        del arguments[at:at + 2]
    lmc, root, wanted = os.path.abspath(arguments[0]), os.path.abspath(arguments[1]), arguments[2:]
    work = tempfile.mkdtemp(prefix="hostile-")
    env = dict(os.environ, HOME=work,
               LMC_CACHE_DIR=os.environ.get("LMC_TEST_CACHE", os.path.join(work, "cache")),
               LMC_MACHINE=os.path.join(root, "tests/data/machine.json"))
    tools = cases.Tools(lmc, root, work, env)
    _, _, start_seconds, start_bytes = run([lmc, "--version"], work, env, 5)
    print(f"{'case':<34}{'input':>10} {'seconds':>8} {'of':>6} {'MB':>7} {'of':>6}  exit")
    failed = 0
    for case in cases.ALL:
        if wanted and case.name not in wanted:
            continue
        folder = os.path.join(work, case.name)
        os.makedirs(folder)
        argv, size = case.make(tools, folder)
        most_seconds = slow * (case.seconds or start_seconds + 0.5 + 1e-6 * size)
        most_bytes = slow * (start_bytes + (case.megabytes * 2**20 if case.megabytes else (64 << 20) + 8 * size))
        code, text, seconds, peak = run([lmc] + argv, folder, env, most_seconds)
        wrong = []
        if code not in case.codes:
            wrong.append(f"exit code {code}, expected {case.codes}")
        if code != 0 and case.text.encode() not in text:
            wrong.append(f"no '{case.text}' in {text[-300:]!r}")
        if len(text) > 4000:
            wrong.append(f"{len(text)} bytes of messages")
        if any(c < 0x20 and c not in b"\n\t" for c in text):
            wrong.append(f"control characters in {text[-300:]!r}")
        if seconds > most_seconds:
            wrong.append("too slow")
        if peak > most_bytes:
            wrong.append("too much memory")
        print(f"{case.name:<34}{size:>10} {seconds:>8.2f} {most_seconds:>6.2f} {peak / 2**20:>7.0f} "
              f"{most_bytes / 2**20:>6.0f}  {code}{'' if not wrong else '   FAIL: ' + '; '.join(wrong)}", flush=True)
        failed += bool(wrong)
        shutil.rmtree(folder)
    shutil.rmtree(work)
    sys.exit(1 if failed else 0)


main()
