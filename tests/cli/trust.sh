# What is run as machine code is run knowingly: bundles, the cache of kernels; and prompts are nobody else's to read.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
own_cache
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

# Signed with a key, a bundle is what its maker made, the weights and the code alike; any other is refused.
for name in maker other; do
  openssl genpkey -algorithm ed25519 -out $name.pem 2>/dev/null
  openssl pkey -in $name.pem -pubout -out $name.pub
done
expect_ok "$LMC" compile "$TINY" --sign maker.pem -o signed.lmc
openssl pkeyutl -verify -pubin -inkey maker.pub -rawin -in signed.lmc/manifest.json -sigfile signed.lmc/manifest.sig >/dev/null ||
  fail "openssl does not verify the signature"
cat other.pub maker.pub >both.pub
expect_ok "$LMC" run signed.lmc --trust both.pub --ids 2,119 --max-tokens 4
cmp -s out.txt right.txt || fail "another answer of a signed bundle"
expect_ok "$LMC" run signed.lmc --ids 2,119 --max-tokens 4
expect_ok "$LMC" inspect signed.lmc --trust maker.pub
expect_in out.txt "its maker, who is one of those in maker.pub"
expect_error 1 "signed.lmc/manifest.sig: is of none of the keys in other.pub" "$LMC" run signed.lmc --trust other.pub --ids 2
expect_error 1 "tiny.lmc: is not signed, and only bundles signed by maker.pub may run" "$LMC" chat tiny.lmc --trust maker.pub
LMC_TRUST=maker.pub expect_error 1 "tiny.lmc: is not signed" "$LMC" explore tiny.lmc -o page.html
expect_error 1 "maker.pem: holds no public key in PEM" "$LMC" run signed.lmc --trust maker.pem --ids 2
expect_error 2 "--trust: names no file" "$LMC" run signed.lmc --trust "" --ids 2
expect_error 1 "maker.pub: is no Ed25519 private key in PEM without a passphrase" "$LMC" compile "$TINY" --sign maker.pub -o x.lmc
openssl pkey -in maker.pem -aes256 -passout pass:secret -out locked.pem
expect_error 1 "locked.pem: is no Ed25519 private key in PEM without a passphrase" "$LMC" compile "$TINY" --sign locked.pem -o x.lmc
[ ! -e x.lmc ] || fail "a bundle without the signature that was asked for"

# What somebody changes later does not run: a byte of the weights, or code with a manifest that fits it.
cp -r signed.lmc spoilt.lmc
printf x | dd of=spoilt.lmc/weights.safetensors bs=1 seek=100000 conv=notrunc status=none
expect_ok "$LMC" run spoilt.lmc --ids 2 --max-tokens 1
expect_error 1 "weights.safetensors: is damaged" "$LMC" run spoilt.lmc --trust maker.pub --ids 2
cp other.lmc/kernels.o signed.lmc/kernels.o && cp other.lmc/manifest.json signed.lmc/manifest.json
expect_error 1 "signed.lmc/manifest.sig: is of none of the keys in maker.pub" "$LMC" run signed.lmc --trust maker.pub --ids 2

# Prompts are kept for this user's eyes.
umask 022
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO:" --max-tokens 4 --prompt-cache prompt.cache
[ "$(mode prompt.cache)" = 600 ] || fail "the prompt cache has mode $(mode prompt.cache)"
chmod 644 prompt.cache
expect_ok "$LMC" run tiny.lmc --prompt "ROMEO: and" --max-tokens 4 --prompt-cache prompt.cache
[ "$(mode prompt.cache)" = 600 ] || fail "the prompt cache has mode $(mode prompt.cache) when written again"
finish
