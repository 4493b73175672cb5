"""Wrong words for every flag of every command, by what its own help says of it: usage.py LMC. Each must end with exit code 2
and the flag's name, with nothing loaded and nothing written."""
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

lmc = sys.argv[1]


def run(*words):
    return subprocess.run([lmc, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=60)


def commands():
    text = run("--help").stdout
    return re.findall(r"^  ([a-z]+) ", text[text.index("Subcommands:"):], re.M)


def options(command):
    """Flags with the type of their value, and the places that must be filled."""
    text = run(command, "--help").stdout
    named = re.findall(r"^  ((?:-[\w-]+,?)+) (?!Excludes:|Needs:)([A-Z]\S*(?: in \[.*?\])?)", text, re.M)
    flags = re.findall(r"^  ((?:-[\w-]+,?)+)(?: |$)", text, re.M)
    places = re.findall(r"^  ([a-z_]+) .*REQUIRED", text, re.M)
    return [(names.split(","), kind) for names, kind in named], [f.split(",")[-1] for f in flags], places


def wrong_words(kind):
    kind, limits = re.match(r"([^:\s]+)(.*)", kind).groups()
    if kind == "INT":
        yield from ("x", "1.5", "99999999999999999999")
    elif kind == "UINT":
        yield from ("x", "-5")
    elif kind == "FLOAT":
        yield "x"
    if kind not in ("INT", "UINT", "FLOAT"):
        return
    if m := re.search(r"in \[(-?\d+) - (-?\d+)\]", limits):
        yield str(int(m[1]) - 1)
    if "POSITIVE" in limits:
        yield "0"
    if "NONNEGATIVE" in limits:
        yield "-1"


# What a command wants first, where "nowhere" in each place is not it.
FILL = {"completion": ["bash"], "export": ["nowhere", "--gguf", "nowhere.gguf"]}
cases = []
for c in commands():
    valued, flags, places = options(c)
    fill = FILL.get(c, ["nowhere"] * len(places))
    cases.append(((c, *fill, "--no-such-flag"), ["--no-such-flag"]))
    for names, kind in valued:
        cases.append(((c, *fill, names[-1]), names))  # without its value
        for word in wrong_words(kind):
            cases.append(((c, *fill, f"{names[-1]}={word}"), names))
    assert "--quiet" in flags, f"{c} has no --quiet"
assert len(cases) > 250, len(cases)

bad = 0
with ThreadPoolExecutor(2) as pool:
    for (words, names), got in zip(cases, pool.map(lambda case: run(*case[0]), cases)):
        named = any(name in got.stderr for name in names)
        if got.returncode != 2 or not named or re.search(r"\d{20,}", got.stderr.replace("9" * 20, "")):
            bad += 1
            print(f"{' '.join(words)}: exit code {got.returncode}, {got.stderr.strip()[-200:]}", file=sys.stderr)
print(f"{len(cases)} wrong words for {len(commands())} commands, {bad} taken")
sys.exit(1 if bad or os.listdir(".") else 0)
