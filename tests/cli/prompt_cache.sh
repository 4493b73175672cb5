# --prompt-cache: a later run feeds only what is new and says the same; files that cannot be used; full disks.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
ids=$(seq -s, 2 90)
run() { "$LMC" run tiny.lmc -n 20 --json "$@" 2>err.txt </dev/null; }
run --ids "$ids" >fresh.json || fail "plain run"
run --ids "$ids,7,8" >longer.json || fail "plain run of more"

same() { # same WANT KNOWN ARGUMENTS…: the output of a run with the cache, and how much of the prompt was known
  local want=$1 known=$2
  shift 2
  run "$@" >got.json || fail "$*: $(cat err.txt)"
  sed -i 's/,"cached_tokens":[0-9]*//' got.json  # what was known stands on standard error, too
  cmp -s "$want" got.json || fail "$* gives $(head -c 200 got.json)"
  expect_in err.txt "$known prompt tokens from"
}
same fresh.json "0 of 89" --ids "$ids" --prompt-cache prompt.kv
expect_in err.txt "89 prompt tokens stored in prompt.kv"
same fresh.json "88 of 89" --ids "$ids" --prompt-cache prompt.kv
grep -q stored err.txt && fail "stored what was there"
same longer.json "89 of 91" --ids "$ids,7,8" --prompt-cache prompt.kv --threads 1
same longer.json "90 of 91" --ids "$ids,7,8" --prompt-cache prompt.kv --block 1
[ "$(ls prompt.kv*)" = prompt.kv ] || fail "left behind: $(ls prompt.kv*)"
mkdir kept
same fresh.json "0 of 89" --ids "$ids" --prompt-cache kept
same longer.json "89 of 91" --ids "$ids,7,8" --prompt-cache kept
same fresh.json "88 of 89" --ids "$ids" --prompt-cache kept
[ "$(ls kept | wc -l)" -eq 2 ] || fail "in the folder: $(ls kept)"

# A sampled answer and one with guesses go on alike, too.
for how in "--temperature 0.8 --seed 3" "--speculate lookup"; do
  run --ids "$ids" $how >fresh.json
  same fresh.json "88 of 89" --ids "$ids" $how --prompt-cache kept
done
run --ids "$ids" >fresh.json

# What cannot be used is said, and not touched.
refused() { # refused TEXT FILE
  cp "$2" before
  expect_error 1 "$1" "$LMC" run tiny.lmc --ids "$ids" --prompt-cache "$2"
  cmp -s "$2" before || fail "$2 was changed"
}
head -c 3000 prompt.kv >cut.kv
refused "cut.kv: is damaged" cut.kv
cp prompt.kv flipped.kv && printf 'x' | dd of=flipped.kv bs=1 seek=4000 conv=notrunc 2>/dev/null
refused "flipped.kv: is damaged" flipped.kv
: >empty.kv
refused "empty.kv: is not a prompt cache" empty.kv
cp "$ROOT/models/tiny/gemma3.yaml" notes.txt
refused "notes.txt: is not a prompt cache" notes.txt
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --quant=none -o other.lmc
expect_error 1 "prompt.kv: is of another bundle" "$LMC" run other.lmc --ids "$ids" --prompt-cache prompt.kv
expect_ok "$LMC" run other.lmc --ids "$ids" --prompt-cache kept -n 2
expect_error 1 "no such folder" "$LMC" run tiny.lmc --ids "$ids" --prompt-cache no/such.kv
expect_error 1 "neither a file nor a folder" "$LMC" run tiny.lmc --ids "$ids" --prompt-cache /dev/null
expect_error 2 "--prompt-cache excludes --batch" "$LMC" run tiny.lmc --batch notes.txt --prompt-cache prompt.kv
for f in kept/*; do printf 'x' | dd of="$f" bs=1 seek=4000 conv=notrunc 2>/dev/null; done
run --ids "$ids" --prompt-cache kept >got.json || fail "a damaged file of a folder: $(cat err.txt)"
expect_in err.txt "is damaged"
cmp -s fresh.json got.json || fail "a damaged file of a folder changes the answer"

# Where the file cannot be written the answer comes all the same, with a warning and nothing left behind.
mkdir limited
(ulimit -f 8 && run --ids "$ids" --prompt-cache limited/prompt.kv >got.json) || fail "a limit on sizes: $(cat err.txt)"
expect_in err.txt "the prompt is not stored: limited/prompt.kv"
cmp -s fresh.json got.json || fail "a limit on sizes changes the answer"
[ -z "$(ls -A limited)" ] || fail "left behind: $(ls -A limited)"
mkdir small
if mount -t tmpfs -o size=32k tmpfs small 2>/dev/null; then
  run --ids "$ids" --prompt-cache small/prompt.kv >got.json || fail "a full disk: $(cat err.txt)"
  expect_in err.txt "o space left"
  [ -z "$(ls -A small)" ] || fail "left on the full disk: $(ls -A small)"
  umount small
fi
finish
