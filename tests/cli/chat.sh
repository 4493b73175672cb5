# Chat templates from checkpoint to answer, and conversations on standard input.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
cp -r "$ROOT/models/tiny/gemma3" model
cat >model/chat_template.jinja <<'EOF'
{{ bos_token }}{% for m in messages %}{{ m.role | upper }}:
{{ m.content }}
{% endfor %}{% if add_generation_prompt %}ASSISTANT:
{% endif %}
EOF
echo '{"bos_token": {"content": "<bos>"}, "eos_token": "<eos>"}' >model/tokenizer_config.json
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o chat.lmc
expect_ok "$LMC" inspect --verify chat.lmc

# --chat is the template and no more: the same tokens as its text given as a prompt.
"$LMC" run chat.lmc --chat --system "Be brief." --prompt "Who?" -n 20 --json >chat.json 2>err.txt || fail "run --chat"
text=$(printf 'SYSTEM:\nBe brief.\nUSER:\nWho?\nASSISTANT:\n.')
"$LMC" run chat.lmc --prompt "${text%.}" -n 20 --json >plain.json 2>err.txt || fail "run"
cut -d'"' -f1-5 chat.json >a && cut -d'"' -f1-5 plain.json >b
cmp -s a b || fail "--chat: $(head -c 300 chat.json) instead of $(head -c 300 plain.json)"
expect_error 2 "--system requires --chat" "$LMC" run chat.lmc --system x --prompt y

# A conversation: the second question finds the first in the cache, and its answer is that of a fresh start.
talk() { "$LMC" chat chat.lmc -n 12 "$@" 2>err.txt; }
printf 'Who?\n/save first.json\nWhy?\n/save both.json\n/clear\nWho?\n/exit\nnot read\n' | talk --system "Be brief." >out.txt || fail "lmc chat: $(cat err.txt)"
expect_in err.txt "0 of "
grep -Eq '^[1-9][0-9]* of [0-9]+ prompt tokens from the cache' err.txt || fail "nothing came from the cache: $(cat err.txt)"
printf 'Why?\n/save again.json' | talk --load first.json >again.txt || fail "--load: $(cat err.txt)"
cmp -s both.json again.json || fail "cached and fresh answers differ"
# Guesses from earlier turns and conversations change nothing.
turns='Who?\nWhy?\n/clear\nWho?\nWhy?\nWho?\n'
printf "$turns" | talk >out.txt || fail "lmc chat"
for how in "" "--draft-min 6"; do
  printf "$turns" | talk --speculate lookup $how >guessed.txt || fail "chat --speculate lookup $how: $(cat err.txt)"
  cmp -s out.txt guessed.txt || fail "chat --speculate lookup $how changes the answers"
done
expect_in err.txt "guessed tokens accepted"
echo 500-510 >ids.txt
printf 'Who?\n/save only.json\n' | talk --allowed-ids ids.txt >out.txt || fail "chat --allowed-ids: $(cat err.txt)"
expect_in err.txt "11 of 2048 tokens may be chosen"
printf '/load first.json\nWhy?\n' | talk >loaded.txt || fail "/load"
cmp -s loaded.txt again.txt || fail "/load gives another answer"
expect_in both.json '"role": "system"'
printf '/help\n\n  \n' | talk >out.txt || fail "/help"
expect_in err.txt "/save FILE"
[ -s out.txt ] && fail "help on standard output"

# /undo and /retry leave the conversation that would be there without what they take back.
roles() { python3 -c 'import json, sys; print(" ".join(m["role"] + "=" + m["content"] if m["role"] != "assistant" else "answer" for m in json.load(open(sys.argv[1]))["messages"]))' "$1"; }
printf 'Who?\n/save one.json\nWhy?\n/undo\n/save undone.json\n/retry\n/save retried.json\n/undo\n/save none.json\n' | talk --system "Be brief." >out.txt || fail "/undo: $(cat err.txt)"
cmp -s one.json undone.json || fail "/undo leaves $(cat undone.json)"
cmp -s one.json retried.json || fail "the likeliest answer again is another: $(cat retried.json)"
[ "$(roles none.json)" = "system=Be brief." ] || fail "/undo of all leaves $(roles none.json)"
# An answer that is drawn again is another one, and all of them come again from the seed that is said.
printf 'Who?\n/save first.json\n/retry\n/save second.json\n' | talk --temperature 1.5 >out.txt || fail "/retry: $(cat err.txt)"
cmp -s first.json second.json && fail "/retry draws the same: $(cat first.json)"
seed=$(sed -n 's/^--seed \([0-9]*\)$/\1/p' err.txt)
cp second.json before.json
printf 'Who?\n/retry\n/save second.json\n' | talk --temperature 1.5 --seed "$seed" >out.txt || fail "--seed $seed: $(cat err.txt)"
cmp -s before.json second.json || fail "--seed $seed draws otherwise"
printf '/set temperature 1.5\n/set seed %s\nWho?\n/set top_k 1\n/set\nWho?\n/retry\n/save third.json\n' "$seed" | talk >out.txt || fail "/set: $(cat err.txt)"
expect_in err.txt "-n 12, --temperature 1.5 --top-k 1"
printf '/set max_tokens 3\nWho?\n' | talk >out.txt || fail "/set max_tokens: $(cat err.txt)"
expect_in err.txt " 3 tokens in "
expect_in err.txt ", cut off by -n 3 (/set max_tokens)"
printf 'Who?\n' | talk --stop e >out.txt || fail "--stop"
grep -Eq ', (ended by --stop|ended by itself)$' err.txt || fail "no word about why it ended: $(cat err.txt)"
# /system changes the message, and takes it away; what was said stays.
printf 'Who?\n/system Be loud, and long.\nWhy?\n/save loud.json\n/system\n/save silent.json\n' | talk --system "Be brief." >out.txt || fail "/system: $(cat err.txt)"
[ "$(roles loud.json)" = "system=Be loud, and long. user=Who? answer user=Why? answer" ] || fail "/system: $(roles loud.json)"
[ "$(roles silent.json)" = "user=Who? answer user=Why? answer" ] || fail "/system without a text: $(roles silent.json)"

# Advice of the checkpoint, which a script can do without.
echo '{"do_sample": true, "temperature": 1.3}' >model/generation_config.json
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o advised.lmc
printf 'Who?\n/save drawn.json\n' | "$LMC" chat advised.lmc -n 12 >out.txt 2>err.txt || fail "an advised chat: $(cat err.txt)"
seed=$(sed -n 's/^as the checkpoint advises: --temperature 1.3 --top-k 50 --seed \([0-9]*\)$/\1/p' err.txt)
printf 'Who?\n/save again.json\n' | "$LMC" chat advised.lmc -n 12 --seed "${seed:-none}" >out.txt 2>err.txt || fail "--seed '$seed'"
cmp -s drawn.json again.json || fail "--seed $seed draws otherwise"
printf 'Who?\n/save again.json\n' | "$LMC" chat advised.lmc -n 12 --sampling greedy >out.txt 2>err.txt
cmp -s one.json again.json && fail "the system message is gone, and the answer the same"
printf 'Who?\n/save greedy.json\n' | talk >out.txt
cmp -s greedy.json again.json || fail "--sampling greedy: $(cat again.json)"
rm model/generation_config.json

# Variables for the template.
echo '{% if thinking is defined %}{{ thinking }} {% endif %}{% for m in messages %}{{ m.content }} {% endfor %}' >model/chat_template.jinja
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o vars.lmc
ids() { "$LMC" run vars.lmc "$@" -n 1 --json 2>err.txt </dev/null | cut -d']' -f1; }
with() { # with TEXT FLAGS…: the prompt is TEXT
  local text=$1
  shift
  [ "$(ids --chat -p Who? "$@")" = "$(ids -p "$text" | sed 's/\[2,/[/')" ] || fail "$*: $(ids --chat -p Who? "$@") $(cat err.txt)"
}
with "Who? "
with "False Who? " --template-var thinking=false
with "very much Who? " --template-var "thinking=very much"
with "3 Who? " --chat-template-kwargs '{"thinking": 3, "other": null}'
printf '/var thinking=true\nWho?\n/clear\n/var thinking=false\nWho?\n' | "$LMC" chat vars.lmc -n 3 >out.txt 2>err.txt || fail "/var: $(cat err.txt)"

# A conversation that outgrows the context goes on without what was said first; its answers are those of a fresh start.
for i in $(seq 30); do echo "What is number $i of the many things that were said?"; done >long.txt
echo "/save long.json" >>long.txt
talk --system "Be brief." -c 256 <long.txt >out.txt || fail "a long conversation: $(cat err.txt)"
grep -q "the context is full: answers no longer see the oldest [0-9]* of " err.txt || fail "nothing was left out: $(tail -n 3 err.txt)"
out=$(sed -n 's/.*no longer see the oldest \([0-9]*\) of .*/\1/p' err.txt | tail -n 1)
python3 - "$out" <<'P' || fail "what /save wrote"
import json, sys
m, out = json.load(open("long.json"))["messages"], int(sys.argv[1])
assert len(m) == 61 and m[0]["role"] == "system" and 0 < out < 60
json.dump({"messages": [m[0]] + m[1 + out:-2]}, open("rest.json", "w"))
json.dump({"messages": [m[0]] + m[1 + out:]}, open("expected.json", "w"))
P
printf '%s\n/save fresh.json\n' "$(sed -n 30p long.txt)" | talk --load rest.json -c 256 >out.txt || fail "what is left: $(cat err.txt)"
python3 -c 'import json; a, b = (json.load(open(f)) for f in ("fresh.json", "expected.json")); assert a == b, (a["messages"][-1], b["messages"][-1])' ||
  fail "the last answer is not that of a fresh start"

# What a script gets wrong ends it, and says so.
refused() { # refused TEXT INPUT
  printf '%b' "$2" | talk >out.txt && fail "accepted: $2"
  expect_in err.txt "$1"
}
refused "there is no command /jump" '/jump\n'
refused "/save needs a file name" '/save \n'
refused "/var needs NAME=VALUE" '/var\n'
refused "nothing has been asked yet" '/retry\n'
refused "nothing has been asked yet" '/undo\n'
refused "/undo takes nothing behind it" '/undo 3\n'
refused "there is no setting temprature; did you mean temperature?" '/set temprature 1\n'
refused "temperature must be a number, found 'hot'" '/set temperature hot\n'
refused "top-p must lie between 0 and 1" '/set top_p 3\n'
refused "/set seed needs a value" '/set seed\n'
refused "there is no command /sav; did you mean /save?" '/sav x\n'
refused "no/such" '/save no/such/file\n'
refused "missing.json" '/load missing.json\n'
echo '{"messages": [{"role": "user"}]}' >half.json
refused 'half.json: message 1 needs a "role"' '/load half.json\n'
echo '[' >half.json
refused "half.json" '/load half.json\n'
refused "shorten it" "$(printf 'word %.0s' $(seq 3000))\n"

# Questions in a batch are written as the template says, each for itself.
printf 'Who?\nWhat is it?\n' >questions.txt
while IFS= read -r question; do
  "$LMC" run chat.lmc --chat --system "Be brief." --prompt "$question" -n 12 --json 2>/dev/null </dev/null
done <questions.txt >alone.txt
"$LMC" run chat.lmc --chat --system "Be brief." --batch questions.txt -n 12 >batch.txt 2>err.txt || fail "--chat --batch"
cmp -s batch.txt alone.txt || fail "--chat --batch differs from one by one"

# Bundles without a template, and with a bad one.
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
expect_error 1 "has no chat template" "$LMC" run tiny.lmc --chat --prompt x
expect_error 1 "has no chat template" "$LMC" chat tiny.lmc
echo '{% if x %}' >model/chat_template.jinja
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o bad.lmc
expect_in err.txt "chat_template.jinja:1: 'if' is not closed by 'endif'"
expect_error 1 "chat_template.jinja:1: 'if' is not closed by 'endif'" "$LMC" chat bad.lmc
expect_ok "$LMC" run bad.lmc --prompt "ROMEO:" -n 2
finish
