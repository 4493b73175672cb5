# lmc chat as people use it, at a terminal of its own: arrows, history, pastes, several lines, UTF-8, Ctrl-C, Ctrl-D.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
python3 -c 'import os; os.openpty()' 2>/dev/null || { echo "this system gives out no terminals" >&2; exit 77; }
cp -r "$ROOT/models/tiny/gemma3" model
# What is asked does not fill the context, however long it is.
echo '{% for m in messages %}{{ m.content | length }}: {% endfor %}' >model/chat_template.jinja
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o chat.lmc
cat >test.py <<'PY'
import fcntl, json, os, random, signal, stat, struct, sys, termios, time
from terminal import Terminal

lmc = sys.argv[1]
LEFT, RIGHT, UP, DOWN, HOME, END, DELETE = ("\x1b" + s for s in ("[D", "[C", "[A", "[B", "[H", "[F", "[3~"))
BACKSPACE, CTRL_C, CTRL_D, ALT_ENTER = "\x7f", "\x03", "\x04", "\x1b\r"
stats = r"prompt tokens from the cache, (\d+) tokens in [0-9.]+ s, .*\n"


class Chat(Terminal):
    def __init__(self, *flags):
        super().__init__(lmc, "chat", "chat.lmc", "-n", "6", "-t", "1", *flags)
        self.expect("/help lists what else can be typed\n")
        self.expect("> ")

    def asked(self):
        """The last question, as the conversation has it."""
        self.expect(stats)
        self.expect("> ")
        self.type("/save now.json\r")
        self.expect("saved \\d+ messages to now.json\n")
        self.expect("> ")
        return [m["content"] for m in json.load(open("now.json"))["messages"] if m["role"] == "user"][-1]

    def ask(self, keys):
        self.type(keys)
        self.type("\r")
        return self.asked()


def same(found, wanted):
    assert found == wanted, (len(found), found[:200], len(wanted), wanted[:200])


chat = Chat()
chat.stops_echoing()

# Moving about in a line.
same(chat.ask("hllo" + LEFT * 3 + "e"), "hello")
same(chat.ask("world" + HOME + "the " + END + "!" + LEFT + DELETE + "?"), "the world?")
same(chat.ask("one two three" + "\x17" + "four"), "one two four")

# Characters of two, three and four bytes are one each, and a combining one is its own.
same(chat.ask("grße 日本 🎭!" + HOME + RIGHT * 2 + "ü" + END + LEFT + BACKSPACE + "語"), "grüße 日本 語!")
same(chat.ask(b"a\xffb" + "é".encode()), "a\ufffdb\u00e9")

# Earlier lines come back (those of /save lie between them), and can be changed.
same(chat.ask(UP * 4 + "!"), "grüße 日本 語!!")
same(chat.ask("x" + UP * 2 + DOWN * 2 + "y"), "xy")

# A paste is one question, whatever it holds, and nothing of it is lost.
random.seed(1)
words = ["to", "be", "or", "não", "ser", "日本語", "🎭", "\ttab", '"""', "/exit", "\\"]
pasted = "\n".join(" ".join(random.choice(words) for _ in range(random.randrange(1, 30))) for _ in range(300))
assert len(pasted.encode()) > 20_000, len(pasted.encode())
chat.type("see: ")
chat.paste(pasted)
same(chat.ask(" (all of it)"), "see: " + pasted + " (all of it)")
same(chat.ask(UP * 2 + BACKSPACE * len(" (all of it)")), "see: " + pasted)
chat.paste("ab\x07\x01c")
same(chat.ask(""), "abc")

# Without marks around it, a line of any length, and one that comes while an answer is being made.
long = "word " * 4000
same(chat.ask(long + "end"), long + "end")
chat.type("/set max_tokens -1\r")
chat.expect("-n -1, .*\n> ")
chat.type("first\r")
chat.expect("first\n.")
chat.type("ahead " * 2000 + "\r")
chat.expect(stats)
chat.expect("> ")
same(chat.asked(), "ahead " * 2000)
chat.type("/set max_tokens 6\r")
chat.expect("-n 6, .*\n> ")

# Several lines.
chat.type('"""one\r')
chat.expect(r"\. ")
chat.type('  two\r')
chat.expect(r"\. ")
same(chat.ask('three"""'), "one\n  two\nthree")
chat.type('"""\r')
chat.expect(r"\. ")
chat.type('four\r')
chat.expect(r"\. ")
same(chat.ask('"""'), "four")
chat.type("five\\\r")
chat.expect(r"\. ")
same(chat.ask("six"), "five\nsix")
same(chat.ask("seven" + ALT_ENTER + "eight"), "seven\neight")
same(chat.ask(UP * 2 + "!"), "seven\neight!")

# Tab completes commands.
chat.type("/he\t\r")
chat.expect("/retry +another answer")
chat.expect("> ")

# Ctrl-C: at the prompt what was typed is gone, in several lines all of them; in an answer it stops that.
chat.type("half a line" + CTRL_C)
chat.expect("Ctrl-C again leaves, as /exit does\n> ")
chat.type('"""half\r')
chat.expect(r"\. ")
chat.type(CTRL_C)
chat.expect("Ctrl-C again leaves, as /exit does\n> ")
same(chat.ask("whole"), "whole")
chat.type("/set max_tokens -1\r")
chat.expect("-n -1, .*\n> ")
for attempt in range(50):  # a slow test may miss the answer
    chat.type(f"again {attempt}\r")
    chat.expect(f"again {attempt}\n.")
    chat.type(CTRL_C)
    chat.expect(r"stopped by Ctrl-C\n> |ended by itself\n> |the context is full\n> |Ctrl-C again leaves, as /exit does\n> ")
    if "stopped by Ctrl-C" in chat.seen:
        break
    time.sleep(0.3)
    chat.type("/clear\r")
    chat.expect("> ")
else:
    sys.exit("50 answers could not be stopped")

# Another size of the window; stopped, with a shell at the terminal meanwhile, and going on.
chat.type("/set max_tokens 6\r")
chat.expect("-n 6, .*\n> ")
chat.type("wide")
chat.expect("wide")
fcntl.ioctl(chat.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 20, 0, 0))
same(chat.ask(" and narrow, so that it is more than a line" + LEFT * 4 + "one "), "wide and narrow, so that it is more than a one line")
chat.type("stop")
chat.expect("stop")
os.kill(chat.pid, signal.SIGSTOP)
mode = termios.tcgetattr(chat.fd)
mode[3] |= termios.ICANON | termios.ECHO
termios.tcsetattr(chat.fd, termios.TCSANOW, mode)
os.kill(chat.pid, signal.SIGCONT)
chat.expect("stop")
same(chat.ask("ped" + LEFT * 3 + "-"), "stop-ped")

# Ctrl-D on a line deletes, on an empty one it leaves; the terminal is as it was.
same(chat.ask("abx" + LEFT + CTRL_D), "ab")
chat.type(CTRL_D)
assert chat.end() == 0
assert "\x1b[?2004h" in chat.raw.decode(errors="replace"), "asks the terminal to mark pastes"

# What was typed is there in the next conversation, for its user alone; lines with a space in front are not kept.
state = os.environ["XDG_STATE_HOME"] + "/lmc/chat_history"
assert stat.S_IMODE(os.stat(state).st_mode) == 0o600 and stat.S_IMODE(os.stat(os.path.dirname(state)).st_mode) == 0o700
kept = [json.loads(line) for line in open(state)]
assert "seven\neight" in kept and "see: " + pasted in kept and "half a line" not in kept
chat = Chat()
same(chat.ask(UP * 2), "ab")
same(chat.ask(" secret"), " secret")
chat.type(CTRL_C)
chat.expect("again leaves")
chat.expect("> ")
assert not chat.echoes()
chat.type(CTRL_C)
chat.expect("lmc: interrupted")
assert chat.echoes()
assert chat.end() == 130
assert " secret" not in [json.loads(line) for line in open(state)]

# Nor is anything with --no-history; a history that somebody has spoilt, or that cannot be written, is no reason to end.
size = os.path.getsize(state)
chat = Chat("--no-history")
same(chat.ask("unheard"), "unheard")
same(chat.ask(UP * 2 + "!"), "unheard!")
chat.type(CTRL_D)
assert chat.end() == 0
assert os.path.getsize(state) == size
with open(state, "ab") as f:
    f.write(b'[1]\n"unfinished\n\xff\n\n"last one"\n')
chat = Chat()
same(chat.ask(UP), "last one")
chat.type(CTRL_D)
assert chat.end() == 0
with open(state, "a") as f:
    for i in range(3000):
        f.write(json.dumps(f"line {i}") + "\n")
chat = Chat()
same(chat.ask(UP), "line 2999")
assert os.path.getsize(state) < 20_000, os.path.getsize(state)
assert stat.S_IMODE(os.stat(state).st_mode) == 0o600
chat.type("/exit\r")
assert chat.end() == 0
PY
export PYTHONPATH=$ROOT/tests/cli PYTHONDONTWRITEBYTECODE=1 XDG_STATE_HOME=$WORK/state TERM=xterm
python3 test.py "$LMC" >out.txt 2>err.txt || fail "at the terminal: $(tail -n 5 err.txt out.txt)"
# A terminal that can do nothing, and standard output elsewhere.
cat >dumb.py <<'PY'
import subprocess, sys
from terminal import Terminal
chat = Terminal("/bin/sh", "-c", f"exec {sys.argv[1]} chat chat.lmc -n 6 -t 1 >answers.txt", TERM="dumb")
chat.expect("/help lists what else can be typed\n")
chat.expect("> ")
chat.type("Who?\r")
chat.expect(r"prompt tokens from the cache, .*\n> ")
chat.type("\x04")
assert chat.end() == 0
assert open("answers.txt").read().strip(), "no answer"
PY
python3 dumb.py "$LMC" >out.txt 2>err.txt || fail "at a dumb terminal: $(tail -n 5 err.txt out.txt)"
finish
