# lmc bench --serve: lmc serve as many clients see it: what is counted and printed, never how fast anything is.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
. "$ROOT/tests/cli/serve.sh.inc"
. "$ROOT/tests/cli/ranges.sh.inc"
command -v curl >out.txt || { echo "skipped: there is no curl"; exit 77; }
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
count() { [ "$(field out.txt "$1")" = "$2" ] || fail "$1 is $(field out.txt "$1") instead of $2: $(cat out.txt)"; }

# Lengths by flags: each pair in turn, four requests a client.
expect_ok "$LMC" bench --serve --clients 2 -p 8,16 -n 5 -t 1 --json
count 'j["server"]' tiny.lmc
count 'j["requests"], j["answered"], j["refused"]' "(8, 8, 0)"
count 'j["prompt_tokens"], j["answer_tokens"]' "(96, 40)"
count 'j["rate"]' None
count 'all(0 < j[k]["p50"] <= j[k]["p90"] <= j[k]["p99"] <= j[k]["max"] for k in ("first_token_ms", "between_tokens_ms", "answer_ms"))' True
count 'j["first_token_ms"]["max"] <= j["answer_ms"]["max"] <= j["seconds"] * 1e3' True
expect_range answer_tokens_per_second 0.001 1e9 out.txt

# Lengths from a file, from the beginning again after its end; what all prompts begin with is fed once.
cat >requests.jsonl <<'J'
{"prompt_tokens": 200, "answer_tokens": 4, "shared_tokens": 192}

{"prompt_tokens": 10, "answer_tokens": 1}
J
expect_ok "$LMC" bench tiny.lmc --serve --requests requests.jsonl --clients 1 --count 5 --json
count 'j["requests"], j["prompt_tokens"], j["answer_tokens"]' "(5, 620, 14)"
count 'j["reused_tokens"]' 384

# Requests that arrive while all clients are busy wait: their clock runs.
expect_ok "$LMC" bench tiny.lmc --serve --clients 1 -p 16 -n 60 --rate 2000 --count 12 --json
count 'j["rate"]' 2000.0
count 'j["first_token_ms"]["max"] > 5 * j["first_token_ms"]["mean"] / 4 and j["first_token_ms"]["max"] > j["answer_ms"]["p50"]' True
# What a full server refuses is counted, and not as answered.
expect_ok "$LMC" bench tiny.lmc --serve --clients 8 -p 8 -n 200 --flags "--slots 1 --queue 0" --json
count 'j["answered"] >= 1 and j["refused"] >= 1 and j["answered"] + j["refused"] == 32 and j["answer_tokens"] == 200 * j["answered"]' True
expect_ok "$LMC" bench tiny.lmc --serve --clients 2 --count 3 -p 8 -n 3
expect_in out.txt "tiny.lmc: 3 requests by 2 clients in "
expect_in out.txt "| until the first token | "
expect_in out.txt "| answers | 9 | |"

# A server that runs, with a key.
echo secret >keys && chmod 600 keys
serve tiny.lmc --api-key-file keys || finish
expect_ok "$LMC" bench --serve --url "$URL/" --api-key-file keys --count 2 -p 8 -n 3 --json
count 'j["server"]' "$URL"
count 'j["answer_tokens"]' 6
expect_error 1 "answers 401: a key is needed" "$LMC" bench --serve --url "$URL"
expect_error 1 "answers 400: the prompt has 600 tokens" "$LMC" bench --serve --url "$URL" --api-key-file keys -p 600
ends
expect_error 1 "lmc: http://127.0.0.1:1" "$LMC" bench --serve --url http://127.0.0.1:1
# Servers of other kinds, and such as break off: python answers with a fixed text.
pretend() { # pretend MODELS-BODY ANSWER
  python3 - "$1" "$2" >port.txt <<'P' &
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, body):
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self): self.reply(sys.argv[1].encode())
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        self.reply(sys.argv[2].encode().decode('unicode_escape').encode())
    def log_message(self, *_): pass
server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
P
  PRETENDER=$!
  for i in $(seq 200); do [ -s port.txt ] && break; sleep 0.05; done
  URL=http://127.0.0.1:$(cat port.txt)
}
models='{"data": [{"meta": {"n_vocab": 100}}]}'
wrong() { # wrong TEXT MODELS-BODY ANSWER
  pretend "$2" "$3"
  expect_error 1 "$1" "$LMC" bench --serve --url "$URL" --count 1 -n 2
  kill $PRETENDER
  wait $PRETENDER 2>/dev/null
  rm port.txt
}
wrong "does not tell the size of the vocabulary" '{"data": []}' ''
wrong "a vocabulary of 99999999999 tokens" '{"data": [{"meta": {"n_vocab": 99999999999}}]}' ''
wrong "is no stream of events" "$models" '<html>\n'
wrong "not well-formed JSON" "$models" 'data: {\n'
wrong "ended too early" "$models" 'data: {"tokens": [1]}\n\n'
wrong "more than the 2 tokens" "$models" 'data: {"tokens": [1, 2, 3]}\n\n'
wrong "out of luck" "$models" 'data: {"error": {"message": "out of luck"}}\n\n'

# Wrong usage.
expect_error 2 "go with --serve" "$LMC" bench tiny.lmc --rate 2
expect_error 2 "go with --serve" "$LMC" bench tiny.lmc --clients 2
expect_error 2 "--api-key-file goes with --url" "$LMC" bench tiny.lmc --serve --api-key-file keys
expect_error 2 "neither a bundle" "$LMC" bench tiny.lmc --serve --url http://127.0.0.1:1
expect_error 2 "neither --ab" "$LMC" bench --serve --ab a b
expect_error 2 "not -m, -b or -d" "$LMC" bench tiny.lmc --serve -m 2
expect_error 2 "one token or more" "$LMC" bench tiny.lmc --serve -p 0
expect_error 2 "--count says" "$LMC" bench tiny.lmc --serve -r 2
expect_error 2 "not CSV" "$LMC" bench tiny.lmc --serve -o csv
expect_error 2 "--rate" "$LMC" bench tiny.lmc --serve --rate -1
expect_error 2 "--clients" "$LMC" bench tiny.lmc --serve --clients 0
expect_error 2 "takes one bundle and one -t" "$LMC" bench tiny.lmc tiny.lmc --serve
expect_error 1 "answers 400: the prompt has 600 tokens" "$LMC" bench tiny.lmc --serve -p 600
expect_error 1 "there is no such bundle" "$LMC" bench nowhere.lmc --serve
expect_error 1 "--slots 70000" "$LMC" bench tiny.lmc --serve --flags "--slots 70000"
expect_error 1 "nothing.jsonl: cannot open" "$LMC" bench tiny.lmc --serve --requests nothing.jsonl
bad() { # bad TEXT LINE: in the second line of a file
  printf '{"prompt_tokens": 1, "answer_tokens": 1}\n%s\n' "$2" >bad.jsonl
  expect_error 1 "bad.jsonl:2: $1" "$LMC" bench tiny.lmc --serve --requests bad.jsonl
}
bad "is not {\"prompt_tokens\"" '[1]'
bad "'prompt_tokens' must be" '{"answer_tokens": 1}'
bad "'answer_tokens' must be a whole number from 1" '{"prompt_tokens": 1, "answer_tokens": 0}'
bad "'answer_tokens' must be" '{"prompt_tokens": 1, "answer_tokens": 1.5}'
bad "'shared_tokens' must be a whole number from 0 to 4" '{"prompt_tokens": 4, "answer_tokens": 1, "shared_tokens": 5}'
bad "'tokens' is none of" '{"tokens": 4}'
bad "the line:1:" '{"prompt_tokens": '
: >bad.jsonl && expect_error 1 "bad.jsonl: holds no requests" "$LMC" bench tiny.lmc --serve --requests bad.jsonl
# Ctrl-C ends both, and nobody stays behind.
"$LMC" bench tiny.lmc --serve -n 480 --count 100000 >out.txt 2>err.txt &
sleep 1
interrupt $!
wait $!
[ $? -ne 0 ] || fail "an interrupted run says that it succeeded"
finish
