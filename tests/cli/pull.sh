# lmc pull: a model comes from a hub into the cache, whatever happens on the way, and is compiled from there.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
unset HF_TOKEN HF_TOKEN_PATH HF_HUB_OFFLINE http_proxy HTTP_PROXY all_proxy ALL_PROXY
export HF_HOME=$WORK/hf HF_HUB_CACHE=$WORK/cache
GOLDEN=$ROOT/tests/data/golden
C=c0ffee0000000000000000000000000000000000

mkdir served
python3 "$ROOT/tests/cli/hub_server.py" served >port.txt 2>server.txt &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$WORK"' EXIT
for _ in $(seq 100); do [ -s port.txt ] && break; sleep 0.05; done
export HF_ENDPOINT=http://127.0.0.1:$(cat port.txt)
# model NAME [FAULT]: the golden checkpoint under another name.
model() {
  cp -r "$GOLDEN/qwen2-window" "served/$1" && chmod -R u+w "served/$1"
  [ $# -lt 2 ] || echo "$2" >"served/$1.fault"
}
pull() { timeout 20 "$LMC" pull "$@"; }
cached() { echo "$HF_HUB_CACHE/models--test--$1"; }
same() { cmp -s "$GOLDEN/qwen2-window/$2" "$(cached "$1")/snapshots/$C/$2" || fail "$1: $2 is not what was served"; }

# All of it, as huggingface_hub lays it out; what lmc does not read stays there.
model whole
expect_error 1 "test/whole: no such file or folder, and test/whole is not in the hub cache ($HF_HUB_CACHE); fetch it with: lmc pull test/whole" \
  "$LMC" compile test/whole
expect_ok pull test/whole
[ "$(cat out.txt)" = "$(cached whole)/snapshots/$C" ] || fail "printed $(cat out.txt)"
same whole config.json; same whole model.safetensors
[ "$(cat "$(cached whole)/refs/main")" = $C ] || fail "refs/main is $(cat "$(cached whole)/refs/main")"
link=$(readlink "$(cached whole)/snapshots/$C/model.safetensors")
[ "$link" = "../../blobs/$(sha256sum <"$GOLDEN/qwen2-window/model.safetensors" | cut -d' ' -f1)" ] || fail "linked to $link"
[ -e "$(cached whole)/snapshots/$C/golden.json" ] && fail "fetched what lmc does not read"
ls "$(cached whole)/blobs" | grep -q incomplete && fail "left $(ls "$(cached whole)/blobs")"
# It compiles from there, to what the folder compiles to; nothing comes twice.
expect_ok "$LMC" compile test/whole
expect_ok "$LMC" compile "$GOLDEN/qwen2-window" -o folder.lmc
"$LMC" eval whole.lmc --ids 1,17,42,80 --json >a.json 2>err.txt; "$LMC" eval folder.lmc --ids 1,17,42,80 --json >b.json 2>err.txt
[ -s a.json ] && cmp -s a.json b.json || fail "other logits out of the cache"
printf 'extends: builtin:qwen2.yaml\ncheckpoint: test/whole\n' >own.yaml
expect_ok "$LMC" compile own.yaml --emit=import -o a.lmir
expect_ok "$LMC" compile "$ROOT/models/qwen2.yaml" --weights test/whole@$C --emit=import -o b.lmir
cmp -s a.lmir b.lmir || fail "checkpoint: and --weights differ"
expect_ok "$LMC" inspect test/whole
gets() { grep -c "^GET [a-z0-9.]* .*/$1/.*model.safetensors" served/log; }
[ "$(gets whole)" = 2 ] || fail "fetched $(gets whole) times instead of by one request and its redirect"
expect_ok pull test/whole --revision refs/pr/1
[ "$(gets whole)" = 2 ] || fail "fetched again"
expect_in err.txt "of which 0 B fetched"
expect_ok "$LMC" inspect test/whole@refs/pr/1
HF_HUB_OFFLINE=1 expect_error 1 "HF_HUB_OFFLINE" pull test/whole
HF_HUB_OFFLINE=1 expect_ok "$LMC" inspect test/whole

# In shards, one of which is not in the cache any more.
cp -r "$GOLDEN/llama-b" served/shards && chmod -R u+w served/shards; : >served/shards/consolidated.safetensors
expect_ok pull test/shards
expect_ok "$LMC" inspect test/shards
expect_ok "$LMC" tokenize test/shards --prompt "one two"
[ -e "$(cached shards)/snapshots/$C/consolidated.safetensors" ] && fail "fetched what the index does not name"
shard=$(ls "$(cached shards)/snapshots/$C" | grep 'safetensors$' | head -n 1)
rm "$(readlink -f "$(cached shards)/snapshots/$C/$shard")"
expect_error 1 "lacks $shard, which its index names; fetch what is missing with: lmc pull test/shards" "$LMC" compile test/shards
expect_ok pull test/shards
expect_ok "$LMC" inspect test/shards
rm "served/shards/$shard"
rm -rf "$HF_HUB_CACHE"
expect_error 1 "model.safetensors.index.json names $shard, which the hub does not have" pull test/shards
[ -e "$(cached shards)/refs/main" ] && fail "refs/main without the files"

# GGUF files: the only one, or those asked for, with all their parts.
mkdir served/one-GGUF served/many-GGUF
expect_ok "$LMC" export "$GOLDEN/qwen2-b" --gguf served/one-GGUF/m.gguf
: >served/one-GGUF/README.md
expect_ok pull test/one-GGUF
[ "$(cat out.txt)" = "$(cached one-GGUF)/snapshots/$C/m.gguf" ] || fail "printed $(cat out.txt)"
expect_ok "$LMC" inspect test/one-GGUF
[ -e "$(cached one-GGUF)/snapshots/$C/README.md" ] && fail "fetched what lmc does not read"
cp served/one-GGUF/m.gguf served/many-GGUF/m-Q4_K_M.gguf
python3 "$ROOT/tests/cli/gguf_rewrite.py" split served/one-GGUF/m.gguf served/many-GGUF/m-F32 2
expect_error 2 "has several GGUF files; choose with --file: m-F32-00001-of-00002.gguf, m-Q4_K_M.gguf" pull test/many-GGUF
expect_error 2 "--file Q9: fits none of m-F32" pull test/many-GGUF --file Q9
expect_ok pull test/many-GGUF --file '*f32*'
[ "$(cat out.txt)" = "$(cached many-GGUF)/snapshots/$C/m-F32-00001-of-00002.gguf" ] || fail "printed $(cat out.txt)"
[ -e "$(cached many-GGUF)/snapshots/$C/m-F32-00002-of-00002.gguf" ] || fail "not all parts"
expect_ok "$LMC" inspect test/many-GGUF
expect_in out.txt "GGUF 3 in 2 files"
expect_ok pull test/many-GGUF --file Q4_K_M
expect_error 1 "has several GGUF files; name one of them" "$LMC" inspect test/many-GGUF
expect_error 1 "has no GGUF files" pull test/whole --file x

# The token goes to the hub and nowhere else; the other host still gets the request.
model private
HF_TOKEN=hf_secret expect_ok pull test/private
grep -q "^GET 127.0.0.1 /test/private/resolve/.* hf_secret$" served/log || fail "the hub got no token"
grep -q "^GET localhost /large/private/" served/log || fail "no request to the other host"
grep "^[A-Z]* localhost" served/log | grep -q hf_secret && fail "the token went to another host"
mkdir -p "$HF_HOME" && echo "hf_file" >"$HF_HOME/token"
expect_ok pull test/private --revision v1
grep -q "revision/v1?blobs=true - hf_file$" served/log || fail "the token file was not used"
expect_error 1 "answers 404: there is no such model or revision" pull test/nobody
printf 'a\nb' >"$HF_HOME/token"
expect_error 1 "token: holds a character" pull test/private
rm "$HF_HOME/token"
grep -q secret err.txt && fail "a secret in a message"

# Refused.
expect_error 1 "answers 401: there is no such model, or it wants to know who asks; set HF_TOKEN" pull test/nobody
HF_TOKEN=x expect_error 1 "there is no such revision 'other'" pull test/whole --revision other
model gated '{"status": 403, "file": "config.json", "code": "GatedRepo"}'
expect_error 1 "answers 403 (said by the server): this token may not read the model; accept its terms at $HF_ENDPOINT/test/gated" pull test/gated
model busy '{"status": 429, "file": "model.safetensors", "times": 2, "retry_after": 0}'
expect_ok pull test/busy
model patience '{"status": 429, "retry_after": 3600}'
expect_error 1 "answers 429" pull test/patience
model trouble '{"status": 503}'
expect_error 1 "answers 503 (said by the server): the server is in trouble" pull test/trouble --retries 1
model elsewhere '{"location": "file:///etc/passwd"}'
expect_error 1 "is redirected to 'file:///etc/passwd', which is not followed" pull test/elsewhere
model circle '{"location": "../x/model.safetensors"}'
expect_error 1 "is redirected again and again" pull test/circle
model climb '{"names": ["../../../../climbed.safetensors"]}'
expect_error 1 'names a file "../../../../climbed.safetensors", which would lie outside' pull test/climb
model absolute '{"names": ["/tmp/x.json"]}'
expect_error 1 'names a file "/tmp/x.json"' pull test/absolute
model text '{"answer": "<html>"}'
expect_error 1 "is not what a hub answers: no JSON object" pull test/text
model nosha '{"answer": "{\"sha\": \"../x\", \"siblings\": []}"}'
expect_error 1 "'sha' is not a commit" pull test/nosha
model torch; rm served/torch/model.safetensors
expect_error 1 "has no model.safetensors" pull test/torch
for m in gated patience trouble elsewhere circle climb absolute text nosha torch; do
  [ -e "$(cached $m)/refs" ] && fail "$m: refs without the files"
done

# Cut off every 60 kB: each attempt goes on where the last one ended.
model cut '{"cut": 60000}'
expect_ok pull test/cut
same cut model.safetensors
grep -q "^GET localhost /large/cut/.* bytes=60000-" served/log || fail "not resumed: $(grep large/cut served/log)"
# Silence, then another call; a server without ranges begins anew; so does a beginning that was wrong.
# A byte of each connection is no getting on: the attempts come to an end.
model drip '{"cut": 1}'
expect_error 1 "bytes remaining to read" timeout 60 "$LMC" pull test/drip --retries 2
model stall '{"stall": 50000}'
expect_error 1 "nothing came for 1 s" pull test/stall --timeout 1 --retries 0
[ -e "$(cached stall)/refs" ] && fail "refs without the files"
rm served/stall.fault
expect_ok pull test/stall
same stall model.safetensors
grep -q "^GET localhost /large/stall/.* bytes=50000-" served/log || fail "not resumed by the next call"
hash=$(sha256sum <"$GOLDEN/qwen2-window/model.safetensors" | cut -d' ' -f1)
for how in ranges beginning; do
  model $how; [ $how = beginning ] || echo '{"ranges": false}' >served/$how.fault
  mkdir -p "$(cached $how)/blobs"
  head -c 5000 /dev/urandom >"$(cached $how)/blobs/$hash.incomplete"
  expect_ok pull test/$how
  same $how model.safetensors
done
model wrong '{"wrong_hash": true}'
expect_error 1 "does not have the hash 00000" pull test/wrong
[ -z "$(find "$(cached wrong)" -name refs -o -path '*/blobs/*' ! -name '*.incomplete')" ] || fail "kept $(find "$(cached wrong)")"

# Ctrl-C leaves what the next call continues.
model interrupt '{"stall": 40000}'
"$LMC" pull test/interrupt >out.txt 2>err.txt &
pid=$!
for _ in $(seq 100); do [ -s "$(cached interrupt)/blobs/$hash.incomplete" ] && break; sleep 0.05; done
interrupt $pid; wait $pid
[ $? = 130 ] || fail "interrupted, but: $(cat err.txt)"
expect_in err.txt "lmc: interrupted"
rm served/interrupt.fault
expect_ok pull test/interrupt
same interrupt model.safetensors
# Two at a time: the second one waits for what the first one fetches.
model both '{"cut": 60000}'
pull test/both >one.txt 2>one.err.txt &
expect_ok pull test/both
wait $! || fail "one of two: $(cat one.err.txt)"
same both model.safetensors
[ "$(grep -c '^GET localhost /large/both/' served/log)" = 3 ] || fail "both fetched: $(grep large/both served/log)"
# A disk that is full, as a limit on the size of files.
model full
(failures=0; ulimit -f 40; expect_error 1 ".incomplete: cannot write: File too large" pull test/full; exit $failures) || fail "full disk"
expect_ok pull test/full
same full model.safetensors
HF_HUB_CACHE=$WORK/own.yaml expect_error 1 "own.yaml/models--test--full" pull test/full

# Usage.
expect_error 2 "is not the id of a model" pull gpt2
expect_error 2 "is not the id of a model" pull ../x
expect_error 2 "is not a branch" pull test/whole --revision ../../x
expect_error 2 "has a revision already" pull test/whole@v1 --revision v2
HF_ENDPOINT=ftp://x expect_error 1 "HF_ENDPOINT=ftp://x: must start with" pull test/whole
HF_ENDPOINT=http://127.0.0.1:1 expect_error 1 "127.0.0.1 port 1" pull test/whole --retries 0
finish
