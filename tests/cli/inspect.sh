# What lmc inspect shows, what --quiet leaves, and who notices damaged weights.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
TINY=$ROOT/models/tiny/gemma3.yaml

# --quiet: nothing but errors, in every command; results are the same.
expect_ok "$LMC" compile "$TINY" -o tiny.lmc --quiet
[ -s err.txt ] && fail "compile --quiet says $(cat err.txt)"
expect_ok "$LMC" run tiny.lmc -p "ROMEO:" -n 5
cp out.txt loud.txt
[ -s err.txt ] || fail "run says nothing"
expect_ok "$LMC" run tiny.lmc -p "ROMEO:" -n 5 -q
[ -s err.txt ] && fail "run -q says $(cat err.txt)"
cmp -s out.txt loud.txt || fail "-q changes the text"
LMC_CACHE_DIR=$WORK/kept expect_ok "$LMC" run "$ROOT/models/tiny/gemma3" -p "ROMEO:" -n 5 -q
[ -s err.txt ] && fail "compiling on the way, run -q says $(cat err.txt)"
expect_error 1 "nowhere.lmc: there is no such bundle" "$LMC" run nowhere.lmc -p x -q

# Of a bundle: all weights and caches, sorted, and sums of them.
expect_ok "$LMC" inspect tiny.lmc
expect_in out.txt "6 layers, 3.12 M parameters, "
expect_in out.txt "no chat template"
grep -q "^q8_0: 13 weights, " out.txt || fail "no sum of Q8_0: $(cat out.txt)"
cp out.txt text.txt
expect_ok "$LMC" inspect tiny.lmc --json --verify
python3 - out.txt text.txt <<'P' || fail "inspect --json: $(head -c 400 out.txt)"
import json, re, sys
d, text = json.load(open(sys.argv[1])), open(sys.argv[2]).read()
assert d["model"] == "gemma3" and d["layers"] == 6 and d["context"] == 512 and d["verified"] is True and d["signed"] is False
names = [w["name"] for w in d["weights"]]
assert names == sorted(names, key=lambda n: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", n)])
lines = [l.split() for l in text.splitlines() if l.startswith("  ")]
assert [l[0] for l in lines] == names + [c["name"] for c in d["caches"]]
for f, s in d["formats"].items():
    of = [w for w in d["weights"] if w["dtype"] == f]
    assert s["weights"] == len(of) and s["bytes"] == sum(w["bytes"] for w in of)
assert sum(s["weights"] for s in d["formats"].values()) == len(names)
assert d["kv_cache_bytes"] == sum(c["bytes"] for c in d["caches"]) > 0
P
# Of a checkpoint by numbers, not by letters.
python3 - <<'P'
import json, struct
names = ["l.10.w", "l.2.w", "l.1.w", "l.02.w", "l.2", "k.9.w"]
text = json.dumps({n: {"dtype": "F32", "shape": [1], "data_offsets": [4 * i, 4 * i + 4]} for i, n in enumerate(names)}).encode()
text += b" " * (-len(text) % 8)
open("names.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + bytes(4 * len(names)))
P
expect_ok "$LMC" inspect names.safetensors
[ "$(awk '/^  /{printf "%s ", $1}' out.txt)" = "k.9.w l.1.w l.2 l.02.w l.2.w l.10.w " ] || fail "sorted: $(cat out.txt)"
expect_error 2 "--json goes with a bundle or a checkpoint" "$LMC" inspect "$ROOT/models/tiny/gemma3/tokenizer.json" --json

# One bit of the weights: who asks before, and who looks while nobody waits.
cp -r "$ROOT/models/tiny/gemma3" model
echo '{% for m in messages %}{{ m.content }} {% endfor %}' >model/chat_template.jinja
expect_ok "$LMC" compile "$TINY" --weights model -o chat.lmc
python3 - <<'P'
with open("chat.lmc/weights.safetensors", "r+b") as f:
    f.seek(-5000, 2)
    byte = f.read(1)[0]
    f.seek(-5000, 2)
    f.write(bytes([byte ^ 1]))
P
damaged="chat.lmc/weights.safetensors: is damaged (its hash differs from the manifest)"
expect_ok "$LMC" run chat.lmc -p "ROMEO:" -n 2
expect_error 1 "$damaged" "$LMC" run chat.lmc -p "ROMEO:" -n 2 --verify
expect_error 1 "$damaged" "$LMC" inspect chat.lmc --verify
expect_ok "$LMC" run tiny.lmc -p "ROMEO:" -n 2 --verify
mkfifo input
"$LMC" chat chat.lmc -n 3 <input >out.txt 2>err.txt &
chat=$!
exec 3>input
for _ in $(seq 100); do # questions until it has had the time to look
  kill -0 $chat 2>/dev/null || break
  echo "Who?" >&3 2>/dev/null
  sleep 0.1
done
exec 3>&-
wait $chat
[ $? -eq 1 ] || fail "a chat with damaged weights goes on: $(tail -n 2 err.txt)"
[ "$(grep -cF "$damaged" err.txt)" -eq 1 ] || fail "chat: $(tail -n 2 err.txt)"
"$LMC" serve chat.lmc --port 0 >out.txt 2>err.txt </dev/null &
serve=$!
for _ in $(seq 300); do kill -0 $serve 2>/dev/null || break; sleep 0.1; done
kill $serve 2>/dev/null
wait $serve
[ $? -eq 1 ] || fail "a server with damaged weights goes on: $(tail -n 2 err.txt)"
[ "$(grep -cF "$damaged" err.txt)" -eq 1 ] || fail "serve: $(tail -n 2 err.txt)"
finish
