# Looking at what passes did: dumps of a part, opt --scope, diff, pictures, and the page of lmc explore.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
TINY=$ROOT/models/tiny/gemma3.yaml

# Dumps show a layer that is a graph of its own, and say which layers are like it.
expect_ok "$LMC" compile "$TINY" --emit=opt --dump-ir one
expect_in one/003.fuse-gate-up.before.lmir "// only layers.0; alike are layers.0 … layers.4 × 5; others: layers.5"
expect_ok "$LMC" opt one/003.fuse-gate-up.before.lmir --passes=fuse-gate-up
expect_in err.txt "fused 1 gate+up pairs"
expect_ok "$LMC" compile "$TINY" --emit=opt --dump-ir named --dump-scope=layers.5.ffn
expect_in named/000.import.lmir "// only layers.5.ffn; others: layers.0 … layers.4 × 5"
expect_ok "$LMC" compile "$TINY" --emit=opt --dump-ir short --dump-scope=collapsed
expect_in short/000.import.lmir "// layers.0 … layers.4 × 5, of which layers.0 is shown"
expect_ok "$LMC" compile "$TINY" --emit=opt --dump-ir whole --dump-scope=all
expect_ok "$LMC" compile "$TINY" --emit=opt --print-ir-after=fuse-qkv --dump-scope=layer:5
expect_in out.txt "role=attn_qkv"
expect_error 1 "no op of the graph is in scope 'layer:6'; there are embed, layers.0 … layers.4 × 5, layers.5, head" \
  "$LMC" compile "$TINY" --emit=opt --dump-ir none --dump-scope=layer:6
expect_error 1 "layer: takes a number" "$LMC" compile "$TINY" --emit=opt --dump-ir none --dump-scope=layer:x

# diff: like diff(1), 0 the same, 1 different, 2 trouble.
before=whole/002.fuse-qkv.before.lmir after=whole/002.fuse-qkv.after.lmir
expect_ok "$LMC" diff "$before" "$before"
[ -s out.txt ] && fail "diff of a graph with itself prints something"
sed -e 's/%q\b/%other/g; s/%n_3\b/%also/g' "$before" >renamed.lmir
cmp -s "$before" renamed.lmir && fail "nothing was renamed"
expect_ok "$LMC" diff "$before" renamed.lmir
"$LMC" diff "$before" "$after" >out.txt 2>err.txt
[ $? -eq 1 ] || fail "diff of two graphs does not exit with 1"
[ -s err.txt ] && fail "diff complains: $(cat err.txt)"
expect_in out.txt "layers.0 … layers.5 × 6, of which layers.0 is shown"
expect_in out.txt "- %q = linear(%n, @model.layers.0.self_attn.q_proj.weight) {role=attn_q} : f32[T,256]"
expect_in out.txt "18 removed, 18 added, 0 changed"
grep -q "$(printf '\033')" out.txt && fail "colours in a file"
"$LMC" diff "$before" "$after" --json >out.txt 2>err.txt
[ $? -eq 1 ] || fail "diff --json does not exit with 1"
python3 - out.txt <<'P' || fail "diff --json"
import json, sys
d = json.load(open(sys.argv[1]))
assert (d["same"], d["removed"], d["added"], d["changed"]) == (False, 18, 18, 0)
assert [len(c["parts"]) for c in d["changes"]] == [6]
assert {c["kind"] for c in d["changes"][0]["changes"]} == {"removed", "added"}
P
sed 's/window=128/window=127/' "$before" >window.lmir
"$LMC" diff "$before" window.lmir >out.txt 2>&1
expect_in out.txt "window: 128 → 127"
expect_in out.txt "0 removed, 0 added, "
expect_error 2 "nofile.lmir: cannot open" "$LMC" diff "$before" nofile.lmir
head -c 3000 "$before" >cut.lmir
expect_error 2 "cut.lmir:" "$LMC" diff "$before" cut.lmir
expect_error 2 "after is required" "$LMC" diff "$before"

# One layer as text, Graphviz and SVG.
expect_ok "$LMC" opt "$after" --passes none --scope layers.3 -o layer.lmir
expect_ok "$LMC" opt layer.lmir --passes none
expect_ok "$LMC" opt "$after" --passes none --dot --scope layers.3
grep -q '^digraph' out.txt && expect_in out.txt "layers.3.self_attn.q_norm" || fail "no layer in Graphviz"
grep -q 'layers\.2\.' out.txt && fail "another layer in the picture"
expect_ok "$LMC" opt "$after" --passes none --svg --scope layer:3 -o layer.svg
expect_in layer.svg "linear · attn_qkv"
tail -n 1 layer.svg | grep -q '</svg>' || fail "the picture ends early"
expect_error 2 "one at a time" "$LMC" opt "$after" --svg --dot
expect_error 1 "no op of the graph is in scope 'layers.7'" "$LMC" opt "$after" --svg --scope layers.7 -o none.svg
[ -e none.svg ] && fail "a picture of nothing"

# The page: from a model file, from a bundle, from a graph.
expect_ok "$LMC" compile "$TINY" -o tiny.lmc
"$LMC" profile tiny.lmc -p 4 -n 3 --json >profile.json 2>/dev/null || fail "profile"
expect_ok "$LMC" explore "$TINY" --profile profile.json -o model.html
expect_ok "$LMC" explore tiny.lmc -o bundle.html
expect_ok "$LMC" explore "$before" --passes=fuse-qkv,fuse-gate-up -o graph.html
for page in model bundle graph; do
  grep -q '^<!doctype html>' $page.html && tail -n 1 $page.html | grep -q '</html>' || fail "$page.html is not whole"
  grep -qE '(src|href)=|/\*(DATA|STYLE|SCRIPT)\*/' $page.html && fail "$page.html loads something or has holes"
done
python3 - model.html bundle.html <<'P' || fail "the data of a page"
import json, re, sys
model, bundle = (json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', open(f).read(), re.S).group(1)) for f in sys.argv[1:])
assert [p["pass"] for p in model["passes"]][:3] == ["canonicalise", "fuse-qkv", "fuse-gate-up"]
assert model["measured"]["found"] == len(model["kernels"]["labels"]) > 8, model["measured"]
assert all(page["machine"] == {"threads": 2, "read_gb_s": 25} for page in (model, bundle))
kernels = model["kernels"]
assert len(kernels["predicted_us"]) == len(kernels["labels"]) and min(kernels["predicted_us"]) > 0
# The last state's step is its kernels, and handing them out at the most.
sum_of = sum(us * n for us, n in zip(kernels["predicted_us"], kernels["calls"]))
assert sum_of <= model["states"][-1]["totals"]["us"] * 1.001, (sum_of, model["states"][-1]["totals"])
assert all(k["us"] > 0 for k in model["measured"]["kernels"])
assert len(model["ledger"]) == 43 and all("sqnr_db" not in e for e in model["ledger"])
assert sum("sqnr_db" in e for e in bundle["ledger"]) == 19 and len(bundle["states"]) == 1
P
expect_ok "$LMC" explore "$TINY" --json
[ "$(wc -l <out.txt)" -eq 1 ] || fail "explore --json prints more than one line"
expect_error 2 "-o PAGE.html" "$LMC" explore "$TINY"
expect_error 1 "nowhere/p.html: cannot write" "$LMC" explore "$TINY" -o nowhere/p.html
expect_error 1 "none.lmir: cannot open" "$LMC" explore none.lmir -o x.html
expect_error 1 "is not a bundle" "$LMC" explore whole -o x.html
echo '{"machine": 3}' >bad.json
expect_error 1 "bad.json: is no profile" "$LMC" explore "$TINY" --profile bad.json -o x.html
[ -e x.html ] && fail "a page in spite of an error"
finish
