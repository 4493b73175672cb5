# lmc profile: its tables, its JSON, its trace and its page; nothing about how long anything takes.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc

expect_ok "$LMC" profile tiny.lmc -p 70 -n 12 --trace trace.json --html page.html
for section in "measured peaks: read" "Decode steps" "Prefill steps" "Cold against warm" "Layers, decode" \
  "Kernels, decode" "Kernels, prefill" "Waiting and scheduling" "Jitter" "Prefill against decode" \
  "Bottlenecks of prefill" "Bottlenecks of decode"; do
  expect_in out.txt "$section"
done
grep -qE 'Embedding +Layers +Norm +Projection +Total ms' out.txt || fail "no table of steps"
grep -qE 'linear ffn_gate_up \[1,128\]x\[2048,128\] q8_0 .* (memory|compute|latency)$' out.txt || fail "no kernel line"
grep -qE 'linear ffn_gate_up \[64,128\]x\[2048,128\] q8_0 ' out.txt || fail "no kernel line of a whole block"
grep -qE 'linear ffn_gate_up \[6,128\]x\[2048,128\] q8_0 ' out.txt || fail "no kernel line of the rest"
expect_in out.txt "scheduling and waiting between stages"
grep -qE 'p99 / p50 of a step: [0-9.]+' out.txt || fail "no p99 / p50"
grep -qE '[0-9]+ of 11 steps took longer than 1.15 x the median, together [0-9.]+ ms beyond it' out.txt || fail "no slow steps"
grep -qE 'reading this takes [0-9.]+ us, [0-9.]+% of a step' out.txt || fail "no cost of reading counters"
for row in mean min max variance share; do
  [ "$(grep -cE "^  $row(, ms2)? +[0-9]" out.txt)" -eq 2 ] || fail "no $row of decode and prefill steps"
done

# The page needs nothing from elsewhere and is complete.
grep -q '^<!doctype html>' page.html || fail "no page"
tail -n 1 page.html | grep -q '</html>' || fail "the page ends early"
grep -qE '(src|href)=' page.html && fail "the page loads something"
grep -qE '/\*(DATA|STYLE|SCRIPT)\*/' page.html && fail "the page has holes"

# --json prints one object and nothing else.
"$LMC" profile tiny.lmc -p 5 -n 3 -t 1 --json >json.txt 2>/dev/null || fail "profile --json"
[ "$(wc -l <json.txt)" -eq 1 ] || fail "--json prints more than one line"
python3 - json.txt trace.json page.html <<'P' || fail "json, trace or page"
import json, re, sys
d = json.load(open(sys.argv[1]))
assert (d["threads"], d["prompt_tokens"], d["decode_tokens"]) == (1, 5, 3)
unit = d["peaks"].pop("unit_gmac_s")
assert (unit > 0) == d["target"].endswith("-amx")
assert set(d["peaks"]) == {"read_gb_s", "int8_gmac_s", "f32_gflop_s"} and min(d["peaks"].values()) > 0
assert d["machine"]["read_all"] == 25e9
assert {"decode_first_ms", "decode_median_of_rest_ms", "decode_ratio"} <= set(d["cold"])
assert len(d["decode"]["steps"]) == 3 and len(d["prefill"]["steps"]) == 1
sections = ["Embedding", "Layers", "Norm", "Projection", "Total"]
for phase in ("decode", "prefill"):
    p = d[phase]
    assert set(p) == {"steps", "sections", "tokens_per_second", "layers", "kernels", "attention", "waiting", "jitter", "bottlenecks"}
    assert list(p["sections"]) == sections
    for s in p["steps"]:
        assert sum(s[n] for n in sections[:4]) <= s["Total"] * 1.001, s
        assert s["busy_ms"] <= s["Total"] * 1.001 and s["between_stages_ms"] <= s["Total"]
    assert len(p["layers"]) == 6 and all(set(l["parts"]) == {"attention", "ffn"} for l in p["layers"])
    assert len(p["jitter"]["layers"]) == 6
    assert sum(k["calls_per_step"] for k in p["kernels"]) in (38, 51)
    # The parts of attention are all that the layers' attention is, and the fused kernel has three of them.
    parts = {a["part"]: a["ms_per_step"] for a in p["attention"]}
    assert list(parts) == ["projections", "scores QK^T", "softmax", "values AV", "output", "norm, rope, cache, rest"]
    assert all(ms > 0 for ms in parts.values()), parts
    whole = sum(k["ms_per_step"] for k in p["kernels"] if k["part"] == "attention")
    assert abs(sum(parts.values()) - whole) < 1e-3 * whole, (parts, whole)
    assert all(k["predicted_us_per_call"] > 0 for k in p["kernels"])
    assert any(k.get("in_cache_us_per_call", 0) > 0 for k in p["kernels"] if k["family"] == "linear")
    assert all(k["bound"] in ("memory", "compute", "latency") for k in p["kernels"])
    gains = [b["gain_ms"] for b in p["bottlenecks"]]
    assert gains == sorted(gains, reverse=True) and len(gains) == len(p["kernels"]) + 1
slow = d["slow_steps"]
causes = ["preempted", "stolen", "page faults", "clock", "slower throughout", "waiting", "unknown"]
assert slow["of"] == 2 and list(slow["causes_ms"]) == causes and slow["reading_us"] > 0
for s in slow["steps"]:
    assert s["cause"] in causes and min(s["causes_ms"].values()) >= 0
    assert abs(sum(s["causes_ms"].values()) - s["beyond_median_ms"]) <= 1e-4 * s["beyond_median_ms"], s
assert all(s["system"]["on_core_ms"] > 0 and s["clock_probe_us"] > 0 for s in d["decode"]["steps"])
attention = [k for k in d["decode"]["kernels"] if k["family"] == "attention"]
# The steps counted see 7 and 8 positions of 1 head of 64 f16 values, twice.
assert len(attention) == 1 and attention[0]["bytes_per_call"] == 7.5 * 2 * 64 * 2, attention

events = json.load(open(sys.argv[2]))["traceEvents"]
tiles = [e for e in events if e["ph"] == "X" and e["tid"] > 0]
assert tiles and all({"name", "ts", "dur", "pid", "tid"} <= set(e) for e in tiles)
assert all({"stage", "tile"} <= set(e["args"]) for e in tiles) and any("layer" in e["args"] for e in tiles)
steps = [e["name"] for e in events if e["ph"] == "X" and e["tid"] == 0]
assert any(s.startswith("prefill") for s in steps) and any(s.startswith("decode") for s in steps), steps
rows = {e["tid"] for e in events if e["ph"] == "M"}
assert {e["tid"] for e in tiles} <= rows
for row in rows:  # a worker runs one tile at a time
    mine = sorted((e["ts"], e["ts"] + e["dur"]) for e in events if e["ph"] == "X" and e["tid"] == row)
    assert all(a[1] <= b[0] + 0.01 for a, b in zip(mine, mine[1:])), row

page = open(sys.argv[3]).read()
data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S).group(1))
assert data["timeline"]["tiles"] and data["timeline"]["stages"]
P

# A single decode step, a prompt of one token, and the log beside it.
expect_ok env LMC_LOG=debug "$LMC" profile tiny.lmc -p 1 -n 1
expect_in err.txt "step 3: 1 token ·"
expect_in out.txt "Bottlenecks of decode"

# Mistakes are found before anything runs.
expect_error 2 "-p 500 and -n 13 together exceed the context of 512" "$LMC" profile tiny.lmc -p 500 -n 13 --html early.html
expect_error 2 "together exceed" "$LMC" profile tiny.lmc -p 1 -n 9223372036854775807
[ -e early.html ] && fail "a page without a run"
expect_error 1 "nowhere/t.json: cannot write" "$LMC" profile tiny.lmc --trace nowhere/t.json
expect_error 1 "nowhere/p.html: cannot write" "$LMC" profile tiny.lmc --html nowhere/p.html
expect_error 2 "name the same file" "$LMC" profile tiny.lmc --html same --trace same
expect_error 2 "--tokens: must be a number above 0, found 0" "$LMC" profile tiny.lmc -n 0
expect_error 1 "none.lmc" "$LMC" profile none.lmc
finish
