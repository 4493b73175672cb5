# lmc run CHECKPOINT: compiled once, kept for this user alone, made anew when the checkpoint changes; lmc list, lmc rm.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
own_cache
GOLDEN=$ROOT/tests/data/golden
TINY=$ROOT/models/tiny/gemma3.yaml
unset HF_HOME HF_HUB_CACHE XDG_CACHE_HOME
export HF_HUB_CACHE=$WORK/hub
kept() { ls "$LMC_CACHE_DIR/models" 2>/dev/null | wc -l; }

expect_ok "$LMC" list
expect_in err.txt "nothing is kept"
expect_ok "$LMC" export "$TINY" --gguf tiny.gguf --type q8_0
expect_ok "$LMC" compile tiny.gguf
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" --max-tokens 8 --temperature 0 --json
cp out.txt bundle.txt
expect_ok "$LMC" run tiny.gguf "ROMEO:" --max-tokens 8 --temperature 0 --json
expect_in err.txt "compiling $WORK/tiny.gguf once"
cmp -s out.txt bundle.txt || fail "out of the cache: $(cat out.txt), not $(cat bundle.txt)"
expect_ok "$LMC" run tiny.gguf "ROMEO:" --max-tokens 8 --temperature 0 --json
grep -q compiling err.txt && fail "compiled twice"
[ "$(stat -c %a "$LMC_CACHE_DIR/models"/tiny-*)" = 700 ] || fail "others may look into it"
(cd / && "$LMC" run "$WORK/tiny.gguf" -p "ROMEO:" --max-tokens 2 >"$WORK/out.txt" 2>"$WORK/err.txt") || fail "elsewhere"
grep -q compiling err.txt && fail "compiled again from another folder"

# Another time of writing is another checkpoint; what has become stale goes.
touch -d '2001-02-03 04:05' tiny.gguf
expect_ok "$LMC" run tiny.gguf "ROMEO:" --max-tokens 2
expect_in err.txt "compiling"
[ "$(kept)" = 1 ] || fail "the stale one stays: $(ls "$LMC_CACHE_DIR/models")"

# Folders too, and what the hub's cache has: a checkpoint, or its only GGUF file.
expect_ok "$LMC" run "$GOLDEN/gpt2-a" "one two" --max-tokens 2
C=c0ffee0000000000000000000000000000000000
snapshot=$HF_HUB_CACHE/models--test--tiny-GGUF/snapshots/$C
mkdir -p "$snapshot" "$HF_HUB_CACHE/models--test--tiny-GGUF/refs"
printf $C >"$HF_HUB_CACHE/models--test--tiny-GGUF/refs/main"
cp tiny.gguf "$snapshot/tiny-Q8_0.gguf"
expect_ok "$LMC" run test/tiny-GGUF "ROMEO:" --max-tokens 8 --temperature 0 --json
cmp -s out.txt bundle.txt || fail "of the hub: $(cat out.txt)"
cp tiny.gguf "$snapshot/other.gguf"
expect_error 1 "has several GGUF files; name one of them with its folder: other.gguf, tiny-Q8_0.gguf" "$LMC" run test/tiny-GGUF "x"
expect_error 1 "fetch it with: lmc pull test/none" "$LMC" run test/none "x"

expect_ok "$LMC" list
expect_in out.txt "$GOLDEN/gpt2-a"
[ "$(grep -c '^  tiny-' out.txt)" = 2 ] || fail "list says $(cat out.txt)"
expect_ok "$LMC" list --json
python3 -c 'import json; d = json.load(open("out.txt")); assert len(d) == 3 and all(m["bytes"] > 0 for m in d), d' || fail "list --json"
expect_error 1 "could be tiny-" "$LMC" rm tiny
expect_error 1 "nothing-here: is not among" "$LMC" rm nothing-here
expect_error 2 "pass --all" "$LMC" rm
[ "$(kept)" = 3 ] || fail "a refused rm has removed something"
expect_ok "$LMC" rm gpt2-a
[ "$(kept)" = 2 ] || fail "not removed"
expect_ok "$LMC" rm --all
[ "$(kept)" = 0 ] || fail "left $(ls "$LMC_CACHE_DIR/models")"

# What cannot be compiled leaves nothing; a folder that others may write to is not trusted.
head -c 1000 tiny.gguf >cut.gguf
expect_error 1 "cut.gguf" "$LMC" run cut.gguf "x"
[ "$(kept)" = 0 ] || fail "left $(ls "$LMC_CACHE_DIR/models")"
chmod 777 "$LMC_CACHE_DIR/models"
expect_error 1 "may be written by others" "$LMC" run tiny.gguf "x"
finish
