"""The results of tools/scripts/bench-peers (JSON lines) as Markdown: medians of the rounds, ratios round by round.
peers_table.py speed|serving FILE"""
import json
import re
import sys
from statistics import median

WHO = {
    "lmc-avx2": "lmc, AVX2",
    "lmc-native": "lmc, best target",
    "haswell": "llama.cpp, AVX2",
    "best": "llama.cpp, best backend",
}
OURS = ["lmc-avx2", "lmc-native"]
RATIOS = [("lmc-avx2", "haswell"), ("lmc-avx2", "best"), ("lmc-native", "best")]


def tests_of(who, result):
    """{test name: (tokens per second, p99/p50 or None)} with the same names for both sides. Decoding is told by its
    median step: a mean would charge llama.cpp with the pauses of node, which calls it."""
    out = {}
    if who in OURS:
        for r in result["results"]:
            if "step_ms" in r:
                out[f"decode at {r['depth']}"] = (1e3 / r["step_ms"]["p50"], r["p99_over_p50"])
            else:
                out[f"prefill {r['tokens']}"] = (r["tokens_per_second"]["median"], None)
        return out
    for key, value in result.items():
        if m := re.fullmatch(r"prefill_(\d+)_tok_s", key):
            out["prefill " + m[1]] = (median(value), None)
        elif m := re.fullmatch(r"step_ms_at_(\d+)", key):
            # With drawing the tokens and without: whichever was faster.
            steps = min(value, result.get("fed_" + key, value), key=lambda v: v["p50"])
            out[f"decode at {int(m[1]) - 1}"] = (1e3 / steps["p50"], steps["p99"] / steps["p50"])
    return out


def load_and_memory(who, results):
    """Seconds, and MB at the peak."""
    if who in OURS:
        bundles = [r["bundles"][0] for r in results]
        return median(b["load_ms"] for b in bundles) / 1e3, max(b["peak_memory_bytes"] for b in bundles) / 1e6
    # Their figure is in MiB.
    return median(r["load_s"] for r in results), max(r["rss_peak_mb"] for r in results) * 1.048576


def table(model, lines):
    busy = max(l["result"] for l in lines if l["who"] == "others")
    lines = [l for l in lines if l["who"] != "others"]
    rounds = sorted({l["round"] for l in lines})
    by = {(l["who"], l["round"]): tests_of(l["who"], l["result"]) for l in lines}
    results = {who: [l["result"] for l in lines if l["who"] == who] for who in WHO}
    tests = list(by[OURS[0], rounds[0]])
    read = max(r["read_bandwidth_gb_s"] for who in OURS for r in results[who])
    bundle = results[OURS[0]][0]["bundles"][0]
    print(f"### {model}, Q8_0, {bundle['threads']} threads, {len(rounds)} rounds in turn\n")
    print("| tokens/s, median | " + " | ".join(tests) + " | load s | peak memory MB |")
    print("|---" + "|--:" * (len(tests) + 2) + "|")
    for who, name in WHO.items():
        load, memory = load_and_memory(who, results[who])
        cells = [f"{median(by[who, r][t][0] for r in rounds):.1f}" for t in tests]
        print(f"| {name} | " + " | ".join(cells) + f" | {load:.2f} | {memory:.0f} |")
    for us, them in RATIOS:
        cells = []
        for t in tests:
            ratios = [by[us, r][t][0] / by[them, r][t][0] for r in rounds]
            cells.append(f"**{median(ratios):.2f}** ({', '.join(f'{x:.2f}' for x in ratios)})")
        print(f"| {WHO[us]} ÷ {WHO[them]}, by round | " + " | ".join(cells) + " | | |")
    for who, name in WHO.items():
        jitter = [median(by[who, r][t][1] for r in rounds) if by[who, rounds[0]][t][1] else None for t in tests]
        print(f"| {name}: step p99/p50 | " + " | ".join("" if j is None else f"{j:.2f}" for j in jitter) + " | | |")
    firsts = [r["bundles"][0]["first_token_ms"] for r in results[OURS[0]]]
    shares = []
    for t in tests:
        if t.startswith("decode"):
            gb_s = [
                x["gb_s"]
                for r in results[OURS[0]]
                for x in r["results"]
                if x["test"].endswith("@d" + t.split()[-1])
            ]
            shares.append(f"{100 * median(gb_s) / read:.0f}% ({t})")
    print(f"\nRead bandwidth {read:.1f} GB/s, the best of all rounds; lmc's decode reads {', '.join(shares)} of it. "
          f"First token after {median(f['cold'] for f in firsts):.0f} ms with the weights on disk, "
          f"{median(f['warm'] for f in firsts):.0f} ms with them in memory. "
          "llama.cpp is called through node-llama-cpp; decoding is told by the median step on both sides. "
          "Node's own threads share the processors with llama.cpp's: where there are few, read its figures as lower "
          "bounds.\n")
    # llama.cpp's threads spin at barriers: it loses many times more than lmc when they have to wait for a core.
    if busy > 0.05:
        print(f"**Other processes used {100 * busy:.0f}% of the processors between runs.**\n")


SERVING = [
    ("answer tokens/s", lambda r: r["answer_tokens_per_second"]),
    ("first token p50 ms", lambda r: r["first_token_ms"]["p50"]),
    ("p99", lambda r: r["first_token_ms"]["p99"]),
    ("between tokens p50 ms", lambda r: r["between_tokens_ms"]["p50"]),
    ("p99", lambda r: r["between_tokens_ms"]["p99"]),
]


def serving_table(model, lines):
    busy = max(l["result"] for l in lines if l["who"] == "others")
    by = {who: [l["result"] for l in lines if l["who"] == who] for who in WHO}
    one = by[OURS[0]][0]
    print(f"### {model}, Q8_0, {one['clients']} clients, {one['requests']} requests of {one['prompt_tokens']} tokens of prompts "
          f"and {one['answer_tokens']} of answers, {len(by[OURS[0]])} rounds in turn\n")
    print("| median | " + " | ".join(name for name, _ in SERVING) + " |")
    print("|---" + "|--:" * len(SERVING) + "|")
    for who, name in WHO.items():
        print(f"| {name} | " + " | ".join(f"{median(map(value, by[who])):.1f}" for _, value in SERVING) + " |")
    for us, them in RATIOS:
        cells = []
        for _, value in SERVING:
            ratios = [value(a) / value(b) for a, b in zip(by[us], by[them])]
            cells.append(f"**{median(ratios):.2f}** ({', '.join(f'{x:.2f}' for x in ratios)})")
        print(f"| {WHO[us]} ÷ {WHO[them]}, by round | " + " | ".join(cells) + " |")
    print("\nlmc is asked over HTTP by clients of the same machine, llama.cpp (as many sequences in one context, through "
          "node-llama-cpp) without it.\n")
    if busy > 0.05:
        print(f"**Other processes used {100 * busy:.0f}% of the processors between runs.**\n")


def main():
    with open(sys.argv[2], encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    print_table = {"speed": table, "serving": serving_table}[sys.argv[1]]
    for model in dict.fromkeys(l["model"] for l in lines):
        print_table(model, [l for l in lines if l["model"] == model])


main()
