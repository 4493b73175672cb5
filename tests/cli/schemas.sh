# Whatever comes under a schema validates: 200 schemas, by ajv where npm has it, and by python3-jsonschema.
# Released only: the same requests as grammar.sh and serve.sh, many times.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
. "$ROOT/tests/cli/serve.sh.inc"
. "$ROOT/tests/cli/npm.sh.inc"
count=${LMC_SCHEMAS:-200}
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
python3 "$ROOT/tests/schemas/make.py" "$count" >schemas.jsonl || fail "no schemas"
serve tiny.lmc --slots 16 || finish
python3 "$ROOT/tests/schemas/answers.py" "$URL" schemas.jsonl 2 >answers.jsonl 2>err.txt || fail "answers: $(head -c 2000 err.txt)"
ends
whole=$(grep -c '"whole": true' answers.jsonl)
[ "$whole" -ge $((count * 9 / 5)) ] || fail "only $whole answers to $count schemas came to an end"
validated=
if npm_packages "$ROOT/tests/schemas" >npm.txt; then
  cp "$ROOT/tests/schemas/validate.js" .
  node validate.js answers.jsonl 2>err.txt || fail "ajv: $(head -c 2000 err.txt)"
  validated="ajv"
else
  echo "without ajv: $(cat npm.txt)"
fi
for python in python3 /usr/bin/python3; do
  "$python" -c 'import jsonschema' 2>err.txt || continue
  "$python" "$ROOT/tests/schemas/validate.py" answers.jsonl 2>err.txt || fail "jsonschema: $(head -c 2000 err.txt)"
  validated="${validated:+$validated and }jsonschema"
  break
done
[ -n "$validated" ] || { echo "skipped: neither ajv nor python3-jsonschema (tools/packages tests) is there"; exit 77; }
echo "$whole answers to $count schemas, validated by $validated"
finish
