# Ctrl-C in a conversation, typed into a terminal of its own: it stops an answer, and twice at the prompt it leaves.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
cp -r "$ROOT/models/tiny/gemma3" model
echo '{% for m in messages %}{{ m.content }} {% endfor %}' >model/chat_template.jinja
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o chat.lmc
python3 -c 'import os; os.openpty()' 2>/dev/null || { echo "this system gives out no terminals" >&2; exit 77; }
cat >test.py <<'PY'
import sys, time
from terminal import Terminal

lmc = sys.argv[1]
stats = r"prompt tokens from the cache, (\d+) tokens in [0-9.]+ s, (.*)\n> "
chat = Terminal(lmc, "chat", "chat.lmc", "--ignore-eos", "-n", "100000", "-t", "1")
chat.expect("> ")

# The whole answer ends with the context; one that Ctrl-C stops is shorter. A slow test may miss the answer.
chat.type("Who?\n")
whole = int(chat.expect(stats)[1])
for attempt in range(50):
    chat.type("/clear\n")
    chat.expect("> ")
    chat.type("Who?\n")
    chat.expect(r"Who\?\n.")  # the first of the answer
    chat.type("\x03")
    tokens = int(chat.expect(stats)[1])
    if tokens < whole:
        assert "stopped by Ctrl-C" in chat.seen
        break
    time.sleep(0.2)
    chat.type("/help\n")
    chat.expect("Ctrl-C stops an answer")
    chat.expect("> ")
else:
    sys.exit(f"50 answers of {whole} tokens each could not be stopped")

# It goes on from there; one Ctrl-C at the prompt is answered, and what was typed is gone.
chat.type("half a line\x03")
chat.expect("Ctrl-C again leaves, as /exit does\n> ")
chat.type("/save after.json\n")
chat.expect("saved 2 messages to after.json\n> ")
chat.type("\x03")
chat.expect("Ctrl-C again leaves")
chat.expect("> ")
chat.type("\x03")
chat.expect("lmc: interrupted")
assert chat.end() == 130

chat = Terminal(lmc, "chat", "chat.lmc")
chat.expect("> ")
chat.type("/exit\n")
assert chat.end() == 0
chat = Terminal(lmc, "chat", "chat.lmc")
chat.expect("> ")
chat.type("\x04")
assert chat.end() == 0
PY
PYTHONPATH=$ROOT/tests/cli PYTHONDONTWRITEBYTECODE=1 XDG_STATE_HOME=$WORK/state python3 test.py "$LMC" >out.txt 2>err.txt || fail "at the terminal: $(tail -n 5 err.txt out.txt)"

# A script's end is Ctrl-C's too: it waits for a line that does not come.
mkfifo input
"$LMC" chat chat.lmc <input 2>err.txt >out.txt &
chat=$!
exec 3>input
echo "Who?" >&3
for _ in $(seq 600); do grep -q "prompt tokens from the cache" err.txt && break; sleep 0.1; done
interrupt $chat
wait $chat
[ $? -eq 130 ] || fail "an interrupted script does not end with 130: $(tail -n 3 err.txt)"
expect_in err.txt "lmc: interrupted"
exec 3>&-
finish
