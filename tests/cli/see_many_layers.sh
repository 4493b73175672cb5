# The page of lmc explore for eighty layers, down to their kernels: less than two megabytes, layers in groups.
# Released only: full shapes; see.sh makes pages of small ones.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
sed 's/num_hidden_layers: 26, num_attention_heads: 4/num_hidden_layers: 80, num_attention_heads: 4/' "$ROOT/models/gemma3.yaml" >big.yaml
expect_ok "$LMC" explore big.yaml --weights none -o big.html
[ "$(wc -c <big.html)" -lt 2000000 ] || fail "big.html has $(wc -c <big.html) bytes"
python3 - big.html <<'P' || fail "the data of a page"
import json, re, sys
page = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', open(sys.argv[1]).read(), re.S).group(1))
kernels = page["kernels"]
assert len(kernels["predicted_us"]) == len(kernels["labels"]) and min(kernels["predicted_us"]) > 0
sum_of = sum(us * n for us, n in zip(kernels["predicted_us"], kernels["calls"]))
assert sum_of <= page["states"][-1]["totals"]["us"] * 1.001, (sum_of, page["states"][-1]["totals"])
groups = [g["label"] for g in page["states"][0]["groups"]]
assert any(g.endswith("× 67") for g in groups) and any(g.endswith("× 13") for g in groups), groups
names = [p["pass"] for p in page["passes"]]
assert names[-5:] == ["choose-layouts", "read-high-nibbles", "specialise", "split-attention", "form-kernels"], names
optimised = page["state_after"][names.index("choose-layouts") - 1]
assert sum(len(g["members"]) for g in page["states"][optimised]["groups"]) == 83
P
finish
