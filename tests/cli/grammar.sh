# Answers under a grammar: a schema, GBNF, a regular expression; what comes validates, however it is generated.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o gemma.lmc
expect_ok "$LMC" compile "$ROOT/models/tiny/gpt2" -o gpt2.lmc
cat >validate.py <<'PY'
import json, sys
try:
    import jsonschema
except ImportError:
    sys.exit(77)
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
for line in open(sys.argv[2]):
    answer = json.loads(line)
    validator.validate(json.loads(answer["text"]))
PY
python=$(for p in python3 /usr/bin/python3; do "$p" -c 'import jsonschema' 2>/dev/null && echo "$p" && break; done)
[ -n "$python" ] || fail "python3-jsonschema is missing: tools/packages tests"

mkdir schemas
cat >schemas/person.json <<'J'
{"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "minimum": 0, "maximum": 120},
 "kind": {"enum": ["a", "b", 3, null]}, "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]{2,5}$"}, "maxItems": 2}},
 "required": ["name", "age", "kind", "tags"], "additionalProperties": false}
J
cat >schemas/tree.json <<'J'
{"$defs": {"n": {"type": "object", "properties": {"v": {"type": "number", "exclusiveMinimum": -1.5, "maximum": 20},
 "next": {"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}}, "required": ["v"], "additionalProperties": false}}, "$ref": "#/$defs/n"}
J
cat >schemas/choice.json <<'J'
{"oneOf": [{"type": "object", "properties": {"t": {"const": "x"}, "d": {"type": "string", "format": "date"}}, "required": ["t", "d"], "additionalProperties": false},
 {"type": "object", "properties": {"t": {"const": "y"}, "u": {"type": "string", "format": "uuid"}}, "required": ["t", "u"], "additionalProperties": false}]}
J
cat >schemas/tuple.json <<'J'
{"type": "array", "prefixItems": [{"type": "boolean"}, {"allOf": [{"type": "integer"}, {"minimum": 10}, {"maximum": 99}]}], "items": {"type": "string", "maxLength": 3}, "minItems": 2, "maxItems": 4}
J
cat >schemas/map.json <<'J'
{"type": "object", "patternProperties": {"^[a-c]{1,3}$": {"type": "integer"}}, "additionalProperties": false, "maxProperties": 3}
J
printf 'ROMEO:\nTo be\nThe\n' >prompts.txt
for schema in schemas/*.json; do
  for bundle in gemma gpt2; do
    for how in "" "--temperature 1.2 --seed 3" "--temperature 2 --seed 8 --top-p 0.9"; do
      # The tokens are the same one by one, in a batch and with guesses, for any number of threads.
      : >one.json
      while read -r prompt; do
        "$LMC" run $bundle.lmc --prompt "$prompt" -n 150 --json --json-schema "$schema" --threads 1 $how >>one.json 2>err.txt || fail "$schema $how: $(cat err.txt)"
      done <prompts.txt
      expect_ok "$LMC" run $bundle.lmc --batch prompts.txt --batch-size 2 -n 150 --json-schema "$schema" --threads 2 $how
      cmp -s out.txt one.json || fail "$schema $how: a batch has other tokens"
      # A text that -n cut off is no JSON yet.
      grep -vE '"ids":\[([0-9]+,){149}' one.json >whole.json
      "$python" validate.py "$schema" whole.json >valid.txt 2>&1 || fail "$schema $how: $(tail -3 valid.txt) $(cat whole.json)"
      cat whole.json >>all.json
    done
    "$LMC" run $bundle.lmc --prompt "ROMEO:" -n 150 --json --json-schema "$schema" --speculate lookup --draft-min 4 >guessed.json 2>err.txt || fail "guesses"
    "$LMC" run $bundle.lmc --prompt "ROMEO:" -n 150 --json --json-schema "$schema" >one.json 2>err.txt
    cmp -s one.json guessed.json || fail "$schema: guesses change the tokens"
  done
done
[ "$(wc -l <all.json)" -ge 60 ] || fail "only $(wc -l <all.json) of 90 answers came to an end"

# What the mask does is what forbidding every other token by hand would do.
printf 'root ::= "yes" | "no"\n' >yes.gbnf
expect_ok "$LMC" run gemma.lmc --prompt "ROMEO:" --grammar yes.gbnf
grep -qxE 'yes|no' out.txt || fail "neither yes nor no: $(cat out.txt)"
expect_ok "$LMC" run gemma.lmc --prompt "ROMEO:" --regex '[A-Z][a-z]{2,8}( \d{2}){3}!' --temperature 1.5
grep -qxE '[A-Z][a-z]{2,8}( [0-9]{2}){3}!' out.txt || fail "no match: $(cat out.txt)"
expect_ok "$LMC" run gemma.lmc --prompt "ROMEO:" --json-object -n 40
grep -q '^{' out.txt || fail "no object: $(cat out.txt)"
# Without an end-of-sequence id the text ends where nothing may follow.
expect_ok "$LMC" run gemma.lmc --prompt "ROMEO:" --regex 'abc' --ignore-eos --json
expect_in out.txt '"text":"abc"'
# Allowed ids that cannot write what the grammar wants.
echo 100-140 >ids.txt
expect_error 1 "no token of the vocabulary goes on with the text as it must" "$LMC" run gemma.lmc --prompt "ROMEO:" --regex '\d{3}' --allowed-ids ids.txt
expect_error 1 "bad.json: #/dependencies: the keyword dependencies is not supported" sh -c "echo '{\"dependencies\":{}}' >bad.json; '$LMC' run gemma.lmc --ids 2 --json-schema bad.json"
expect_error 1 "bad.gbnf:1:10: rule x is used, but not defined" sh -c "echo 'root ::= x' >bad.gbnf; '$LMC' run gemma.lmc --ids 2 --grammar bad.gbnf"
expect_error 1 "nowhere.json: cannot open" "$LMC" run gemma.lmc --ids 2 --json-schema nowhere.json
expect_error 2 "--regex" "$LMC" run gemma.lmc --ids 2 --json-object --regex a
finish
