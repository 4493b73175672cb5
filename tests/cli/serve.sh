# lmc serve: its answers are those of lmc run; keys, origins, limits, TLS, and how it ends.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
. "$ROOT/tests/cli/serve.sh.inc"
command -v curl >out.txt || { echo "skipped: there is no curl"; exit 77; }
model_with_template
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o chat.lmc

# Answers are those of lmc run, id for id: greedy, drawn, and with every limit on what is drawn.
serve chat.lmc --slots 4 || finish
same() { # same NAME RUN-FLAGS JSON-FIELDS
  "$LMC" run chat.lmc --prompt "ROMEO:" --json -n 40 $2 >run.json 2>err.txt || fail "run $2: $(cat err.txt)"
  post /completion "{\"prompt\": \"ROMEO:\", \"n_predict\": 40, \"top_k\": 0, \"top_p\": 1, \"min_p\": 0, $3}" >served.json
  [ "$(field run.json 'j["ids"]')" = "$(field served.json 'j["tokens"]')" ] || fail "$1: served $(head -c 300 served.json), run $(head -c 300 run.json)"
}
same greedy "" '"temperature": 0'
same drawn "--temperature 0.8 --seed 7" '"temperature": 0.8, "seed": 7'
same limited "--temperature 1.2 --seed 9 --top-k 50 --top-p 0.9 --min-p 0.02 --repetition-penalty 1.2 --logit-bias 260=-5" \
  '"temperature": 1.2, "seed": 9, "top_k": 50, "top_p": 0.9, "min_p": 0.02, "repeat_penalty": 1.2, "logit_bias": [[260, -5]]'
same penalised "--presence-penalty 0.8 --frequency-penalty 1.5 --repetition-penalty 1.05 --repetition-window 30" \
  '"temperature": 0, "presence_penalty": 0.8, "frequency_penalty": 1.5, "repeat_penalty": 1.05, "repeat_last_n": 30'
same "no window" "" '"temperature": 0, "repeat_last_n": 0, "presence_penalty": 9, "repeat_penalty": 2'
post /api/generate '{"prompt": "ROMEO:", "raw": true, "stream": false, "options": {"temperature": 0, "repeat_penalty": 1, "presence_penalty": 0.8, "frequency_penalty": 1.5, "num_predict": 40}}' >ollama.json
"$LMC" run chat.lmc --ids "$(field ollama.json 'j["context"][0]')" --json -n 40 --presence-penalty 0.8 --frequency-penalty 1.5 >run.json 2>err.txt ||
  fail "run --presence-penalty"
[ "$(field run.json 'j["text"]')" = "$(field ollama.json 'j["response"]')" ] || fail "Ollama's penalties: $(cat ollama.json)"
# OpenAI's count the answer alone, llama.cpp's the prompt too.
often='"prompt": "KING: the king, the king, the king. KING: the king", "temperature": 0, "top_k": 0'
post /v1/completions "{$often, \"max_tokens\": 12, \"frequency_penalty\": 2}" | field /dev/stdin 'j["choices"][0]["text"]' >openai.txt
post /completion "{$often, \"n_predict\": 12, \"frequency_penalty\": 2}" | field /dev/stdin 'j["content"]' >llama.txt
[ -s openai.txt ] && ! cmp -s openai.txt llama.txt || fail "whose tokens are counted: $(cat openai.txt llama.txt)"
"$LMC" run chat.lmc --chat --prompt "Who?" --json -n 20 >run.json 2>err.txt || fail "run --chat"
post /v1/chat/completions '{"messages": [{"role": "user", "content": "Who?"}], "max_tokens": 20, "temperature": 0}' >served.json
[ "$(field run.json 'j["text"]')" = "$(field served.json 'j["choices"][0]["message"]["content"]')" ] || fail "chat: $(cat served.json)"

# What the answer must be is kept to on every route, and the bytes of tokens that are no whole characters are told.
post /completion '{"prompt": "x", "grammar": "root ::= \"a\\u20ac\"", "n_probs": 1}' >served.json
[ "$(field served.json 'j["content"], sum((t["bytes"] for t in j["completion_probabilities"][:4]), [])')" = "('a€', [97, 226, 130, 172])" ] || fail "bytes: $(cat served.json)"
post /completion '{"prompt": "x", "json_schema": {"const": 12}, "temperature": 2}' >served.json
[ "$(field served.json 'j["content"]')" = 12 ] || fail "json_schema: $(cat served.json)"
post /v1/completions '{"prompt": "x", "grammar": "root ::= \"\\u20ac\"", "logprobs": 1, "max_tokens": 9}' >served.json
[ "$(field served.json 'j["choices"][0]["logprobs"]["tokens"][0]')" = 'bytes:\xe2' ] || fail "tokens: $(cat served.json)"

# So are those of many at a time, with prompts that begin alike or not, and with tokens that are guessed.
cat >together.py <<'P'
import json, os, sys, threading, urllib.request
url, rounds = sys.argv[1] + '/completion', int(sys.argv[2])
play = 'First Citizen: Before we proceed any further, hear me speak. All: Speak, speak. ' * 3
asks = [{'prompt': (play if i % 3 else '') + f'Citizen {i}:', 'n_predict': 10 + i % 17, 'temperature': 0.7 + i % 2, 'seed': i, 'n_probs': i % 4}
        for i in range(64)]
def ask(i):
    r = urllib.request.Request(url, json.dumps(asks[i]).encode())
    j = json.load(urllib.request.urlopen(r, timeout=60))
    return j['tokens'], [p['logprob'] for p in j.get('completion_probabilities', [])]
if not os.path.exists('alone.json'): json.dump([ask(i) for i in range(64)], open('alone.json', 'w'))
alone = [tuple(a) for a in json.load(open('alone.json'))]
for _ in range(rounds):
    together = [None] * 64
    def work(i): together[i] = ask(i)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(64)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert alone == together, [i for i in range(64) if alone[i] != together[i]]
P
python3 together.py "$URL" 1 || fail "answers beside others differ"

# An embedding has the same bits alone, among many, as ids, and while texts are made.
python3 - "$URL" <<'P' || fail "embeddings"
import base64, json, struct, sys, threading, urllib.request
def post(path, body):
    return json.load(urllib.request.urlopen(urllib.request.Request(sys.argv[1] + path, json.dumps(body).encode()), timeout=60))
texts = ['To be', 'or not to be', 'x', 'word ' * 150] + [f'that is the question {i}' * (1 + i % 9) for i in range(40)]
ids = [post('/tokenize', {'content': t, 'add_special': True})['tokens'] for t in texts]
def embed(inputs, **more):
    j = post('/v1/embeddings', {'input': inputs, 'model': 'm', **more})
    assert j['object'] == 'list' and j['model'] == 'm' and [d['index'] for d in j['data']] == list(range(len(j['data'])))
    return j
def floats(text):
    raw = base64.b64decode(text)
    return list(struct.unpack(f'<{len(raw) // 4}f', raw))
alone = [floats(embed(t)['data'][0]['embedding']) for t in texts]
assert len(alone[0]) == 128 and len({tuple(a) for a in alone}) == len(texts) and all(abs(x) < 1e3 for a in alone for x in a)
making = [threading.Thread(target=post, args=('/completion', {'prompt': f'{i}', 'n_predict': 200, 'ignore_eos': True})) for i in range(3)]
for t in making: t.start()
together = embed(texts)
assert [floats(d['embedding']) for d in together['data']] == alone
assert together['usage'] == {'prompt_tokens': sum(map(len, ids)), 'total_tokens': sum(map(len, ids))}
for t in making: t.join()
assert [d['embedding'] for d in embed(ids, encoding_format='float')['data']] == alone
assert embed(ids[3], encoding_format='float', dimensions=128)['data'][0]['embedding'] == alone[3]
P

# Every route stands in the help, and what it refuses says which field.
curl -sS "$URL/help" >help.txt
for route in "POST /v1/chat/completions" "GET /health" "POST /api/generate" "POST /completion" "GET /metrics"; do expect_in help.txt "$route"; done
refused() { # refused STATUS TEXT PATH BODY
  post "$3" "$4" -o out.txt -w '%{http_code}' >code.txt
  [ "$(cat code.txt)" = "$1" ] || fail "$3 $4: $(cat code.txt) instead of $1: $(cat out.txt)"
  expect_in out.txt "$2"
}
refused 400 "'temperature' must lie between" /v1/completions '{"prompt": "x", "temperature": 1e300}'
refused 400 "'n' must lie between" /v1/completions '{"prompt": "x", "n": 1000}'
refused 400 "'presence_penalty' must lie between -2" /v1/completions '{"prompt": "x", "presence_penalty": 3}'
refused 400 "Unrecognized request argument supplied: promt" /v1/completions '{"promt": "x"}'
refused 400 "nested more than 64 deep" /v1/completions "$(printf '[%.0s' $(seq 100))"
refused 400 "not well-formed JSON" /completion '{"prompt": '
refused 400 "the logit bias names token 99999999" /completion '{"prompt": "x", "logit_bias": [[99999999, 1]]}'
refused 400 "messages[1].role" /v1/chat/completions '{"messages": [{"role": "user", "content": "x"}, {"role": "king"}]}'
refused 400 "messages[0].content[0].type" /v1/chat/completions '{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}'
refused 404 "GET /help" /v2/nothing '{}'
refused 405 "this path takes GET alone" /health '{}'
refused 400 "there is no input" /v1/embeddings '{"model": "x"}'
refused 400 "'encoding_format' must be base64 or float" /v1/embeddings '{"input": "x", "encoding_format": "int8"}'
refused 400 "embeddings have 128 dimensions" /v1/embeddings '{"input": "x", "dimensions": 64}'
refused 400 "the prompt has 600 tokens" /v1/embeddings "{\"input\": [$(printf '5,%.0s' $(seq 599))5]}"
refused 400 "a token id must lie between" /v1/embeddings '{"input": [[1, 99999]]}'
expect_in server.log " POST /v1/completions 400 "

# What the README shows.
commands=0
on_line() {
  case $1,$2 in
    console,curl*)
      commands=$((commands + 1))
      bash -c "${2//http:\/\/127.0.0.1:8080/$URL} -f" >out.txt 2>err.txt || fail "$2: $(cat out.txt err.txt)" ;;
  esac
}
walk_page "$ROOT/tools/serve/README.md"
[ $commands -ge 7 ] || fail "the README has only $commands requests"

# Neither another site's page nor a name that leads here by a trick may use it.
[ "$(curl -sS -o out.txt -w '%{http_code}' -H 'Origin: https://evil.example' "$URL/v1/models")" = 403 ] || fail "another origin"
[ "$(curl -sS -o out.txt -w '%{http_code}' -H 'Host: evil.example' "$URL/v1/models")" = 403 ] || fail "another host"
[ "$(curl -sS -o out.txt -w '%{http_code}' -H "Origin: $URL" "$URL/v1/models")" = 200 ] || fail "its own origin"
curl -sSi "$URL/health" >out.txt && ! grep -qi access-control out.txt || fail "CORS is on"
expect_in out.txt "X-Request-Id: "

# One connection for many requests, also where they are sent at once.
python3 - "$URL" <<'P' || fail "pipelined requests"
import socket, sys
host, port = sys.argv[1].split('//')[1].split(':')
s = socket.create_connection((host, int(port)))
s.sendall(b''.join(b'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n' for _ in range(5)) + b'GET /health HTTP/1.0\r\n\r\n')
data = b''
while part := s.recv(65536): data += part
assert data.count(b'HTTP/1.1 200 OK') == 6 and data.count(b'{"status":"ok"}') == 6, data
P
ends

# A key, a limit on what waits, answers ended by SIGTERM with a last word.
printf '# ours\nsecret-one\nsecret-two\n' >keys && chmod 644 keys
expect_error 1 "keys: others may read the keys in it" "$LMC" serve chat.lmc --port 0 --api-key-file keys
chmod 600 keys
serve chat.lmc --slots 1 --queue 1 --api-key-file keys --cors-origin https://page.example --alias tiny || finish
refused 401 "a key is needed" /v1/completions '{"prompt": "x"}'
[ "$(curl -sS -o out.txt -w '%{http_code}' -H 'Authorization: Bearer secret-on' "$URL/v1/models")" = 401 ] || fail "a part of a key"
curl -sS -H 'Authorization: Bearer secret-two' "$URL/v1/models" >out.txt && expect_in out.txt '"id":"tiny"'
[ "$(curl -sS -o out.txt -w '%{http_code}' "$URL/health")" = 200 ] || fail "/health needs no key"
curl -sSi -X OPTIONS -H 'Origin: https://page.example' -H 'Access-Control-Request-Headers: authorization' "$URL/v1/models" >out.txt
expect_in out.txt "204 No Content" && expect_in out.txt "Access-Control-Allow-Origin: https://page.example"
# Nothing of the header goes back that could begin another one.
curl -sSi -X OPTIONS -H 'Origin: https://page.example' -H $'Access-Control-Request-Headers: a\tb' "$URL/v1/models" >out.txt
[ "$(grep -c '^Access-Control-Allow-Headers' out.txt)" = 1 ] || fail "what a header may hold"
ends
serve chat.lmc --slots 1 --queue 1 || finish
long='{"prompt": "ROMEO:", "n_predict": 480, "ignore_eos": true, "stream": true}'
many() { for i in $(seq 40); do post /completion "$long" -o "answer$1.$i" -w '%{http_code}\n' -D "head$1.$i" >>codes & done; }
many a
sleep 0.02
wait $(jobs -p | grep -v "^$SERVER$")
grep -q 429 codes || fail "nobody was told to come again: $(sort codes | uniq -c)"
grep -q 200 codes || fail "nobody was answered"
grep -lq 429 heada.* && grep -qi "retry-after: 1" $(grep -l 429 heada.* | head -1) || fail "no Retry-After"
ends
serve chat.lmc --slots 4 --speculate lookup || finish
python3 together.py "$URL" 2 || fail "guesses change answers"
curl -sS "$URL/metrics" >out.txt
[ "$(sed -n 's/^lmc:accepted_tokens_total //p' out.txt)" -gt 100 ] || fail "what was said before is not guessed: $(grep tokens out.txt)"
ends
# What prompts left is there after a restart.
long_prompt="{\"prompt\": \"$(printf 'word %.0s' $(seq 120))\", \"n_predict\": 4, \"temperature\": 0}"
serve chat.lmc --prompt-cache kept || finish
post /completion "$long_prompt" >first.json
ends
serve chat.lmc --prompt-cache kept || finish
post /completion "$long_prompt" >second.json
[ "$(field second.json 'j["timings"]["cache_n"]')" -ge 64 ] || fail "nothing was kept: $(tail -n 5 server.log)"
[ "$(field first.json 'j["tokens"]')" = "$(field second.json 'j["tokens"]')" ] || fail "a restart changes an answer"
ends
# An end in the midst of everything: whoever was answered already gets a last event, everybody else 503.
serve chat.lmc --slots 1 --queue 60 || finish
for i in $(seq 60); do post /completion "$long" -o "last.$i" -w '%{http_code} %{errormsg}\n' -D "lasthead.$i" >>lastcodes & done
for i in $(seq 100); do find . -name 'last.*' -size +0 | grep -q . && break; sleep 0.02; done
sleep 0.3
ends 10
wait $(jobs -p)
[ "$(wc -l <lastcodes)" = 60 ] || fail "some got no answer"
for i in $(seq 60); do
  [ ! -s "last.$i" ] || grep -q '"stop":true\|"error"' "last.$i" || fail "an answer without an end: $(tail -c 200 "last.$i")"
done
cut -d' ' -f2- lastcodes | grep -v '^ *$' | grep -v "Couldn't connect\|reset by peer" && fail "cut off: $(sort lastcodes | uniq -c)"
grep -q "shutting down" last.* || fail "nobody was told that the server ends"
expect_error 1 "cannot listen on" "$LMC" serve chat.lmc --host 203.0.113.1 --port 0
expect_error 2 "--tls-cert and --tls-key go together" "$LMC" serve chat.lmc --tls-cert keys
expect_error 1 "keys: is no certificate in PEM" "$LMC" serve chat.lmc --port 0 --tls-cert keys --tls-key keys
expect_error 2 "--slots 1000" "$LMC" serve chat.lmc --slots 1000

# TLS.
if command -v openssl >out.txt; then
  openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>err.txt || fail "openssl"
  serve chat.lmc --tls-cert cert.pem --tls-key key.pem || finish
  curl -sS --cacert cert.pem "$URL/v1/completions" -d '{"prompt": "ROMEO:", "max_tokens": 5, "temperature": 0, "stream": true}' >out.txt || fail "TLS"
  expect_in out.txt "[DONE]"
  curl -sS "$URL/health" >out.txt 2>err.txt && fail "a certificate nobody signed is taken"
  curl -s --max-time 5 "http://${URL#https://}/health" >out.txt 2>err.txt && fail "HTTP where HTTPS is spoken"
  ends
fi
finish
