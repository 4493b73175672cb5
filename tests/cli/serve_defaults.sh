# What lmc serve does where a request does not say it: as the checkpoint advises, and what the chat template may ask.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
. "$ROOT/tests/cli/serve.sh.inc"
command -v curl >out.txt || { echo "skipped: there is no curl"; exit 77; }
model_with_template
echo '{% if mood is defined %}{{ mood }} {% endif %}{% for m in messages %}{{ m.content }} {% endfor %}' >model/chat_template.jinja
echo '{"do_sample": true, "temperature": 0.6, "top_k": 20, "repetition_penalty": 1.05}' >model/generation_config.json
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o advised.lmc

settings() { curl -sS --max-time 20 "$URL/props" | field /dev/stdin '[j["default_generation_settings"]["params"][k] for k in ("temperature", "top_k", "top_p", "repeat_penalty")]'; }
template() { post /apply-template "{\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}]$1}" | field /dev/stdin 'j["prompt"]'; }
serve advised.lmc --template-var mood=glad || finish
[ "$(settings)" = "[0.6, 20, 0.95, 1.05]" ] || fail "as advised: $(settings)"
[ "$(template "")" = "glad Who? " ] || fail "--template-var: '$(template "")'"
[ "$(template ', "chat_template_kwargs": {"mood": "sad"}')" = "sad Who? " ] || fail "chat_template_kwargs"
[ "$(template ', "chat_template_kwargs": null')" = "glad Who? " ] || fail "chat_template_kwargs: null"
# Drawn as the checkpoint advises, and as lmc run does.
"$LMC" run advised.lmc --prompt "ROMEO:" --json -n 30 --sampling checkpoint --seed 4 --top-p 0.95 --min-p 0.05 >run.json 2>err.txt || fail "run: $(cat err.txt)"
post /completion '{"prompt": "ROMEO:", "n_predict": 30, "seed": 4}' >served.json
[ "$(field run.json 'j["ids"]')" = "$(field served.json 'j["tokens"]')" ] || fail "served $(head -c 300 served.json), run $(head -c 300 run.json)"
# What a request says counts.
"$LMC" run advised.lmc --prompt "ROMEO:" --json -n 30 >run.json 2>err.txt
post /v1/completions '{"prompt": "ROMEO:", "max_tokens": 30, "temperature": 0, "repetition_penalty": 1}' >served.json
[ "$(field run.json 'j["text"]')" = "$(field served.json 'j["choices"][0]["text"]')" ] || fail "temperature 0: $(cat served.json)"
for wrong in '7' '{"messages": []}'; do
  post /v1/chat/completions "{\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}], \"chat_template_kwargs\": $wrong}" >served.json
  [ "$(field served.json 'j["error"]["param"]')" = chat_template_kwargs ] || fail "$wrong: $(cat served.json)"
done
ends

serve advised.lmc --sampling api || finish
[ "$(settings)" = "[0.8, 40, 0.95, 1.0]" ] || fail "--sampling api: $(settings)"
[ "$(template "")" = "Who? " ] || fail "no variable: '$(template "")'"
ends
expect_error 2 "'messages' cannot be set" "$LMC" serve advised.lmc --template-var messages=1
expect_error 2 "--sampling: hot not in" "$LMC" serve advised.lmc --sampling hot
finish
