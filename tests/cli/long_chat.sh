# One chat of many tokens whose prompts shift: what was said first is dropped, loaded again, cleared. Memory stays where it
# was. LMC_LONG_CHAT=100000 for as many tokens; how fast is printed, not judged.
# Released only: AddressSanitizer keeps freed memory for a while, which looks like growth (tests/faults/README.md).
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
cp -r "$ROOT/models/tiny/gemma3" checkpoint
echo '{% for m in messages %}{{ m.role }}: {{ m.content }}
{% endfor %}assistant: ' >checkpoint/chat_template.jinja
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights checkpoint -o chat.lmc
python3 - "$LMC" "${LMC_LONG_CHAT:-20000}" <<'P' || fail "memory grows"
import json, os, re, subprocess, sys
lmc, wanted = sys.argv[1], int(sys.argv[2])
WINDOWS = 10
said = [{"role": ("user", "assistant")[i % 2], "content": f"and this is what was said as number {i}, and so on"}
        for i in range(WINDOWS + 8)]
for w in range(WINDOWS):  # a conversation that loses its beginning
    with open(f"window{w}.json", "w") as f:
        json.dump({"messages": said[w:w + 2 * (w % 4) + 2]}, f)
p = subprocess.Popen([lmc, "chat", "chat.lmc", "--system", "You are brief.", "--max-tokens", "16", "-t", "2"],
                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
tokens, turn = 0, 0
cycles = []  # of ten windows: tokens so far, kB, tokens a second
def cpu_seconds():  # not those of the clock, which other processes share
    with open(f"/proc/{p.pid}/stat") as f:
        return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
while tokens < wanted:
    start, before = cpu_seconds(), tokens
    for w in range(WINDOWS):
        lines = [f"/load window{w}.json", f"question {turn:06}, my lord?", "and then?"] + (["/clear", "who is there?"] if w % 3 == 2 else [])
        p.stdin.write("\n".join(lines) + "\n")
        p.stdin.flush()
        questions = sum(not l.startswith("/") for l in lines)
        while questions:
            line = p.stderr.readline()
            assert line, p.wait()
            if m := re.match(r"\d+ of (\d+) prompt tokens from the cache, (\d+) tokens", line):
                tokens += int(m[1]) + int(m[2])
                questions -= 1
        turn += 1
    with open(f"/proc/{p.pid}/status") as f:
        rss = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    cycles.append((tokens, rss, (tokens - before) / max(cpu_seconds() - start, 0.01)))
p.stdin.close()
assert p.wait() == 0, p.returncode
early = max(kb for t, kb, _ in cycles if wanted * 0.2 <= t <= wanted * 0.5)
late = max(kb for t, kb, _ in cycles if t >= wanted * 0.8)
def rate(first, last):
    part = [r for t, _, r in cycles if wanted * first <= t <= wanted * last]
    return len(part) / sum(1 / r for r in part)
print(f"{tokens} tokens, {turn} windows: {early} kB, later {late} kB; "
      f"{rate(0.1, 0.5):.0f} tokens a second of CPU time, later {rate(0.6, 1.1):.0f}")
assert late <= early * 1.01 + 128, (early, late)
P
finish
