# lmc serve and the clients people have: openai, ollama and the AI SDK, from npm.
# Released only: the clients' work; serve.sh and serve_hostile.sh speak to a server under sanitizers.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
. "$ROOT/tests/cli/serve.sh.inc"
. "$ROOT/tests/cli/npm.sh.inc"
npm_packages "$ROOT/tests/serve" >npm.txt || { echo "skipped: $(cat npm.txt)"; exit 77; }
cp "$ROOT/tests/serve/clients.js" .
model_with_template
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o chat.lmc
serve chat.lmc || finish
timeout 120 node clients.js "$URL" >out.txt 2>err.txt || fail "clients: $(cat err.txt)"
cat out.txt
ends
finish
