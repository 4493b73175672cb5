#!/usr/bin/env python3
"""Memory that runs out: tests/faults/memory.py LMC ROOT [--most N | --every] [COMMAND…]. The n-th allocation of a command fails,
or the n-th and all that follow, in turn; there are millions, so N of each command are tried: the first ones, random ones
(always the same), and the last ones. What must come of it is what run.py wants."""
import concurrent.futures
import os
import random
import shutil
import sys
import tempfile

from run import Run, preloaded, report


def sample(n, most):
    """`most` of 1 … n: a quarter from each end at growing distances, the rest at random."""
    if most >= n:
        return list(range(1, n + 1))
    out, distance = set(), 1.0
    while len(out) < most // 2 and distance < n:
        out.update((int(distance), n + 1 - int(distance)))
        distance *= max(1.0 + 1.0 / most, n ** (4.0 / most))
    rng = random.Random(n)
    while len(out) < most:
        out.add(rng.randint(1, n))
    return sorted(out)


def check(run, command, so, most):
    counts = f"{run.work}/counts"
    expected = run.expected(command, so, counts)
    with open(counts) as f:
        n = int(f.read().split()[1])
    faults = [(at, "all" if (i % 2) else "") for i, at in enumerate(sample(n, most))] if most else [
        (at, how) for at in range(1, n + 1) for how in ("", "all")]

    def fault(one):
        at, how = one
        got = run.once(command, so, {"FAULT_AT": str(at), **({"FAULT_ALL": "1"} if how else {})})
        problem = run.verdict(command, expected, got)
        return got[0] == 0, f"{command.name}: allocation {at} of {n}{' and all after it' if how else ''}: {problem}" if problem else ""

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(fault, faults))
    wrong = [w for _, w in done if w]
    report(command.name, n, len(faults), sum(ok for ok, _ in done), wrong)
    return not wrong


def main():
    arguments, most = sys.argv[1:], 200
    if "--every" in arguments:
        arguments.remove("--every")
        most = 0
    if "--most" in arguments:
        i = arguments.index("--most")
        most = int(arguments[i + 1])
        del arguments[i:i + 2]
    work = tempfile.mkdtemp(prefix="memory-")
    try:
        run = Run(os.path.abspath(arguments[0]), os.path.abspath(arguments[1]), work)
        so = preloaded("memory", run.root, work)
        good = [check(run, c, so, most) for c in run.commands() if c.name in arguments[2:] or not (arguments[2:] or c.cold)]
    finally:
        shutil.rmtree(work)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
