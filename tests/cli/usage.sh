# Wrong usage of any command is exit code 2, before anything is loaded or written: all flags by what the help says of them, and
# the rules that join several.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
mkdir empty && (cd empty && python3 "$ROOT/tests/cli/usage.py" "$LMC" 2>../err.txt) || fail "$(cat err.txt)"

# Nothing that is named here exists, so code 2 says that nothing was looked for.
while IFS='|' read -r text words; do
  [ -n "$text" ] || continue
  eval "set -- $words"
  expect_error 2 "$text" "$LMC" "$@"
done <<'TABLE'
the temperature must be 0 or more|run no.lmc -p x --temp -1
top-p must lie between 0 and 1|run no.lmc -p x --top-p 2
min-p must lie between 0 and 1|chat no.lmc --min-p -1
top-k|run no.lmc -p x --top-k -1
the repetition penalty must be above 0|chat no.lmc --repetition-penalty 0
the presence and frequency penalties|run no.lmc -p x --presence-penalty 1e9
--stop needs a text|run no.lmc -p x --stop ''
--logit-bias must be ID=BIAS|run no.lmc -p x --logit-bias 5
--draft-min 5 is more than --draft 4|chat no.lmc --draft 4 --draft-min 5
--sampling|run no.lmc -p x --sampling hot
must be NAME=VALUE|chat no.lmc --template-var thinking
'messages' cannot be set|chat no.lmc --template-var messages=1
--template-var|chat no.lmc --template-var '{"a":'
--template-var requires --chat|run no.lmc -p x --template-var a=1
--system requires --chat|run no.lmc -p x --system y
--ids is empty|run no.lmc --ids ''
--ids must be whole numbers|run no.lmc --ids 1,x
excludes|run no.lmc -p x --ids 1
excludes|run no.lmc -p x --batch no.txt
excludes|run no.lmc x --batch no.txt
excludes|run no.lmc --batch no.txt --prompt-cache c
excludes|run no.lmc -p x --prompt-cache c --logprobs 1
--batch-size requires --batch|run no.lmc -p x --batch-size 4
--logprobs goes with --json|run no.lmc -p x --logprobs 4
--timings goes with --json|run no.lmc -p x --timings
excludes|run no.lmc -p x --json-object --regex a
--seed|run no.lmc -p x --seed -2
not in {|run no.lmc -p x --scheduler fast
'b' is one word too many|chat a b
did you mean --max-tokens?|chat no.lmc --max-token 5
model is required|compile
--weights none goes with --emit|compile no.yaml --weights none
--sign goes with a bundle|compile no.yaml --emit opt --sign k.pem
--rank goes with --emit|compile no.yaml --ranks 2 --rank 0
must be 1, 2, 4 or 8|compile no.yaml --ranks 3
there are 2 ranks|compile no.yaml --ranks 2 --rank 5 --emit plan
--emit plan is of one rank|compile no.yaml --ranks 2 --emit plan
--price is of one machine|compile no.yaml --ranks 2 --price
is neither a file nor one of|compile no.yaml --chat-template nowhere
not in {|compile no.yaml --emit everything
not in {|compile no.yaml --kv q4
--budget|compile no.yaml --budget kl=0.01
scale|compile no.yaml --lora a=inf
--tls-cert and --tls-key go together|serve no.lmc --tls-cert c.pem
--port|serve no.lmc --port 70000
one of --ids and --text|eval no.lmc
one of --ids and --text|eval no.lmc --ids 1 --text a.txt
-p 0 and -n 0 leave nothing|bench no.lmc -p 0 -n 0
not CSV|bench --serve no.lmc -o csv
--ab and --ablate are two things|bench --ab a b --ablate no.yaml
--model goes with --ab|bench no.lmc --model no.yaml
two formats|opt no.lmir --dot --svg
-o PAGE.html|explore no.yaml
name the same file|profile no.lmc --trace a --html a
is not the id of a model|pull nonsense
has a revision already|pull a/b@c --revision d
name what to remove|rm
name what to remove|rm a --all
shell: tcsh not in|completion tcsh
TABLE
finish
