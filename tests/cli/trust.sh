# What is run as machine code is run knowingly: bundles, the cache of kernels; and prompts are nobody else's to read.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
TINY=$ROOT/models/tiny/gemma3.yaml
mode() { stat -c %a "$1"; }

# Without a name it is the newest bundle here, and that is said.
expect_ok "$LMC" compile "$TINY" -o tiny.lmc
expect_ok "$LMC" run --ids 2,119 --max-tokens 4
expect_in err.txt "taking tiny.lmc, the newest bundle here"
cp out.txt right.txt
chmod o+w tiny.lmc/kernels.o
expect_error 1 "tiny.lmc/kernels.o: may be written by others, and a bundle is a program; name tiny.lmc" "$LMC" run --ids 2,119
expect_ok "$LMC" run tiny.lmc --ids 2,119 --max-tokens 4
cmp -s out.txt right.txt || fail "another answer"
chmod o-w tiny.lmc/kernels.o
expect_ok "$LMC" inspect tiny.lmc --verify
expect_in out.txt "a bundle is a program"
expect_in out.txt "whoever made them"
printf x >tiny.lmc/tokenizer.json
expect_error 1 "tiny.lmc: holds tokenizer.json, which its manifest does not list" "$LMC" run tiny.lmc --ids 2
rm tiny.lmc/tokenizer.json

# The cache of kernels is this user's alone, and a file that was put there by hand is not run.
[ "$(mode .kernels)" = 700 ] || fail "the cache folder has mode $(mode .kernels)"
[ "$(mode .kernels/secret)" = 600 ] || fail "the secret has mode $(mode .kernels/secret)"
object=$(find .kernels -name '*.o' | head -n 1)
cp -r .kernels others
rm others/secret
LMC_CACHE_DIR=$WORK/others expect_ok "$LMC" compile "$TINY" -o again.lmc
cmp -s "$object" "others/$(basename "$object")" && fail "an object from another user's cache was taken"
cmp -s tiny.lmc/kernels.o again.lmc/kernels.o || fail "other kernels"
cp "$object" right.o
expect_ok "$LMC" compile "$TINY" --quant none -o other.lmc
for other in .kernels/*.o; do [ "$other" = "$object" ] || { cp "$other" "$object"; break; }; done
cmp -s "$object" right.o && fail "there is only one object"
expect_ok "$LMC" compile "$TINY" -o again.lmc
cmp -s tiny.lmc/kernels.o again.lmc/kernels.o || fail "an object under another's name was taken"
chmod 777 others
LMC_CACHE_DIR=$WORK/others expect_ok "$LMC" compile "$TINY" -o again.lmc
expect_in err.txt "others: may be written by others, so no compiled kernels are kept there"
cmp -s tiny.lmc/kernels.o again.lmc/kernels.o || fail "other kernels"

# Prompts are kept for this user's eyes.
umask 022
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" --max-tokens 4 --prompt-cache prompt.cache
[ "$(mode prompt.cache)" = 600 ] || fail "the prompt cache has mode $(mode prompt.cache)"
chmod 644 prompt.cache
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO: and" --max-tokens 4 --prompt-cache prompt.cache
[ "$(mode prompt.cache)" = 600 ] || fail "the prompt cache has mode $(mode prompt.cache) when written again"
finish
