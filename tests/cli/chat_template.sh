# lmc compile --chat-template: another template than the checkpoint's, or one where it has none.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
TINY=$ROOT/models/tiny/gemma3.yaml
ask() { "$LMC" run "$1" --chat -p "Who?" --max-tokens 1 --json 2>err.txt || fail "ask $1: $(cat err.txt)"; }

printf 'Q: {{ messages[0].content }} A:' >mine.jinja
expect_ok "$LMC" compile "$TINY" --chat-template mine.jinja -o mine.lmc
cmp -s mine.jinja mine.lmc/chat_template.jinja || fail "not the file's template"
ask mine.lmc >answer.json
expect_ok "$LMC" compile "$TINY" --chat-template chatml -o chatml.lmc
grep -q '<|im_start|>' chatml.lmc/chat_template.jinja || fail "not chatml"
ask chatml.lmc >chatml.json
cmp -s answer.json chatml.json && fail "two templates ask the same"
expect_ok "$LMC" export "$TINY" --gguf tiny.gguf --type q8_0
expect_ok "$LMC" compile tiny.gguf --chat-template gemma
grep -q '"bos_token": "<bos>"' tiny.lmc/tokenizer_config.json || fail "no tokens: $(cat tiny.lmc/tokenizer_config.json)"
expect_error 2 "--chat-template chatlm: is neither a file nor one of chatml, gemma," "$LMC" compile nowhere.yaml --chat-template chatlm
printf '{%% if %%}' >bad.jinja
expect_error 1 "bad.jinja:1" "$LMC" compile "$TINY" --chat-template bad.jinja -o no.lmc
[ -e no.lmc ] && fail "a bundle was written"
finish
