# lmc tokenize and lmc detokenize: every source of a tokenizer, bytes in and out, and what is refused.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
D=$ROOT/tests/data/tokenizers
T=$ROOT/models/tiny/gpt2/tokenizer.json
expect_out() { [ "$(cat out.txt)" = "$1" ] || fail "expected '$1', found '$(head -c 300 out.txt)'"; }
round_trip() {  # TOKENIZER: the bytes of in.txt come back
  "$LMC" tokenize "$1" --no-special <in.txt | "$LMC" detokenize "$1" >back.txt || fail "exit code: $1"
  cmp -s in.txt back.txt || fail "$1 changes the text"
}

# Whatever it is read from, the same ids.
expect_ok "$LMC" tokenize "$T" -p "ROMEO: wherefore"
ids=$(cat out.txt)
grep -qE '^[0-9]+(,[0-9]+)*$' out.txt || fail "no list of ids: $ids"
expect_ok "$LMC" tokenize "$ROOT/models/tiny/gpt2" -p "ROMEO: wherefore"
expect_out "$ids"
printf 'ROMEO: wherefore' >text.txt
expect_ok "$LMC" tokenize "$T" --file text.txt
expect_out "$ids"
"$LMC" tokenize "$T" <text.txt >out.txt || fail "standard input"
expect_out "$ids"
expect_ok "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" -o tiny.lmc
for bundle in tiny.lmc tiny.lmc/tokenizer.bin; do
  expect_ok "$LMC" tokenize "$bundle" -p "ROMEO: wherefore"
  expect_out "$ids"
done
expect_ok "$LMC" tokenize -p "ROMEO: wherefore" # the newest bundle here
expect_out "$ids"
expect_ok "$LMC" detokenize --ids "$ids"
expect_out "ROMEO: wherefore"
expect_ok "$LMC" detokenize tiny.lmc ${ids//,/ }
expect_out "ROMEO: wherefore"

# A bundle may carry a SentencePiece model.
expect_ok "$LMC" compile "$ROOT/models/tiny/gpt2.yaml" --tokenizer "$D/sp-unigram.model" -o sp.lmc
expect_ok "$LMC" tokenize sp.lmc -p "Hello" --pieces --json
cp out.txt bundle.txt
expect_ok "$LMC" tokenize "$D/sp-unigram.model" -p "Hello" --pieces --json
cmp -s out.txt bundle.txt || fail "the bundle's tokenizer differs"

# Bytes as they came, line ends and split characters included; nothing is added.
printf '\n\n two  spaces\tnaïve 日本 😀 \r\n' >in.txt
round_trip "$T"
round_trip "$ROOT/models/tiny/gemma3/tokenizer.json"
round_trip "$D/sp-bpe-plain.model"
: >in.txt
round_trip "$T"
expect_ok "$LMC" tokenize "$T" -p ""
expect_out ""

# Special tokens and output forms
expect_ok "$LMC" tokenize "$D/added.json" -p "a" --pieces
printf '1\t"<s>"\n3\t"a"\n2\t"</s>"\n' | cmp -s - out.txt || fail "pieces: $(cat out.txt)"
expect_ok "$LMC" tokenize "$D/added.json" -p "a" --no-special --json --pieces
expect_out '{"ids":[3],"pieces":["a"]}'
expect_ok "$LMC" detokenize "$D/added.json" 1 3 2
expect_out "<s>a</s>"
expect_ok "$LMC" detokenize "$D/added.json" 1 3 2 --skip-special --json
expect_out '{"text":"a"}'

# What a tokenizer is made of
expect_ok "$LMC" inspect "$D/sp-bpe-bytes.model"
expect_in out.txt "SentencePieceBPE with byte fallback, vocabulary 600 (600 tokens)"
expect_in out.txt "<mask>"
expect_ok "$LMC" inspect "$T"
expect_in out.txt "merges"
expect_in out.txt "pre-tokenizer   ByteLevel"
expect_error 1 "nowhere.model: cannot open" "$LMC" inspect nowhere.model

# Refused with one message
expect_error 2 "excludes" "$LMC" tokenize "$T" -p a --file text.txt
expect_error 2 "found 'two'" "$LMC" detokenize "$T" --ids 1,two
expect_error 1 "token id 999999 is outside the vocabulary of 2048" "$LMC" detokenize "$T" 999999
expect_error 1 "token id -1 is outside" "$LMC" detokenize "$T" --ids=-1
expect_error 1 "token id 99999999999999999999 is outside" "$LMC" detokenize "$T" --ids 99999999999999999999
expect_error 1 "nowhere.json: cannot open" "$LMC" tokenize nowhere.json -p a
expect_error 1 "missing.txt" "$LMC" tokenize "$T" --file missing.txt
mkdir empty
expect_error 1 "empty: holds no tokenizer" "$LMC" tokenize empty -p a
head -c 3000 "$D/sp-bpe.model" >cut.model
expect_error 1 "cut.model: " "$LMC" tokenize cut.model -p a
head -c 3000 "$T" >cut.json
expect_error 1 "cut.json:" "$LMC" tokenize cut.json -p a
head -c 3000 tiny.lmc/tokenizer.bin >cut.bin
expect_error 1 "cut.bin: not a sound tokenizer.bin" "$LMC" tokenize cut.bin -p a
: >nothing.model
expect_error 1 "nothing.model: not a SentencePiece model" "$LMC" tokenize nothing.model -p a
"$LMC" tokenize "$T" -p a >/dev/full 2>err.txt && fail "a full disk was not noticed"
expect_in err.txt "cannot write to standard output"
finish
