# lmc serve and the clients people have: openai, ollama and the AI SDK, from npm.
# Released only: the clients' work; serve.sh and serve_hostile.sh speak to a server under sanitizers.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
. "$ROOT/tests/cli/serve.sh.inc"
command -v node >out.txt && command -v npm >out.txt || { echo "skipped: there is no node with npm"; exit 77; }
# Installed once for all runs of these versions.
packages=${LMC_TEST_NPM:-${XDG_CACHE_HOME:-$HOME/.cache}/lmc-test-npm}/$(cksum <"$ROOT/tests/serve/package.json" | cut -d' ' -f1)
if [ ! -f "$packages/complete" ]; then
  mkdir -p "$packages" && cp "$ROOT/tests/serve/package.json" "$packages" || fail "cannot write $packages"
  (cd "$packages" && timeout 120 npm install --no-audit --no-fund --loglevel=error >npm.log 2>&1 && touch complete) ||
    { echo "skipped: npm cannot install the clients: $(tail -n 2 "$packages/npm.log")"; exit 77; }
fi
cp "$ROOT/tests/serve/clients.js" . && cp "$packages/package.json" . && ln -s "$packages/node_modules" node_modules
model_with_template
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --weights model -o chat.lmc
serve chat.lmc || finish
timeout 120 node clients.js "$URL" >out.txt 2>err.txt || fail "clients: $(cat err.txt)"
cat out.txt
ends
finish
