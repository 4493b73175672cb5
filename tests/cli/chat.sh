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

# What a script gets wrong ends it, and says so.
refused() { # refused TEXT INPUT
  printf '%b' "$2" | talk >out.txt && fail "accepted: $2"
  expect_in err.txt "$1"
}
refused "there is no command /jump" '/jump\n'
refused "/save needs a file name" '/save \n'
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
