# Many generations in one process: memory stays where it was. LMC_LONG=10000 for as many; how fast is not judged here.
# Released only: AddressSanitizer keeps freed memory for a while, which looks like growth.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
python3 - "$LMC" "${LMC_LONG:-1500}" <<'P' || fail "memory grows"
import os, subprocess, sys, time
lmc, n = sys.argv[1], int(sys.argv[2])
with open("prompts.txt", "w") as f:
    for i in range(n):
        f.write("ROMEO: " + "and so on " * (i * 7 % 23) + str(i) + "\n")
samples = []  # lines done, kB, seconds of CPU time: the clock's are shared with other processes
with open("answers.txt", "wb") as out:
    p = subprocess.Popen([lmc, "run", "tiny.lmc", "--batch", "prompts.txt", "--max-tokens", "12"], stdout=out, stderr=subprocess.DEVNULL)
    while p.poll() is None:
        with open("answers.txt", "rb") as f:
            done = f.read().count(b"\n")
        try:
            with open(f"/proc/{p.pid}/status") as f:
                rss = next((int(line.split()[1]) for line in f if line.startswith("VmRSS")), 0)
            with open(f"/proc/{p.pid}/stat") as f:
                cpu = sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            break
        if rss and (not samples or done > samples[-1][0]):
            samples.append((done, rss, cpu))
        time.sleep(0.02)
assert p.wait() == 0, p.returncode
early = max(kb for done, kb, _ in samples if n * 0.2 <= done <= n * 0.4)
late = max(kb for done, kb, _ in samples if done >= n * 0.8)
def rate(first, last):
    part = [s for s in samples if n * first <= s[0] <= n * last]
    return (part[-1][0] - part[0][0]) / (part[-1][2] - part[0][2])
print(f"{n} generations: {early} kB, later {late} kB; {rate(0.2, 0.5):.0f} a second of CPU time, later {rate(0.6, 0.95):.0f}")
assert late <= early * 1.01 + 128, (early, late)
P
finish
