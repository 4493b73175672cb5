# bisect, reduce, the gate's budget and the repro of a failing pass, as a user meets them.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
MODEL=$ROOT/models/tiny/gpt2.yaml
# Runs the first "replay" command that a file or message names, with this lmc, and shows what it says.
replay() {
  local command
  command=$(sed -n 's|.*replay: lmc ||p' "$1" | head -n 1)
  [ -n "$command" ] || { fail "no replay line in $1"; return 0; }
  eval "\"$LMC\" $command" >out.txt 2>err.txt </dev/null
}

# --check says what it found, pass by pass; a budget that is broken fails with the figures and leaves a repro.
expect_ok "$LMC" compile "$MODEL" --emit=opt --check -o checked.lmir
expect_in err.txt "check fuse-qkv (exact): T=7: max abs 0"
expect_in err.txt "check quantize (within budget): T=1:"
[ -s checked.lmir ] || fail "--emit=opt -o wrote nothing"
expect_error 1 "results changed by more than the budget: relative" "$LMC" compile "$MODEL" --emit=opt --check-budget rel=0.001 --set quantize.min_dim=100
expect_in err.txt "> 0.001"
cp err.txt first.txt
grep -q -- "--set quantize.min_dim=100" repro.lmir || fail "the repro lacks a setting: $(head -n 1 repro.lmir)"
cp repro.lmir kept.lmir
sed -i 's|opt repro.lmir|opt kept.lmir|' kept.lmir
replay kept.lmir && fail "the repro does not fail"
figures() { grep -o "relative [0-9.]* > 0.001" "$1"; }
[ "$(figures err.txt)" = "$(figures first.txt)" ] || fail "the repro says $(cat err.txt)"
expect_error 1 "none of abs, rel, top1, kl, sqnr" "$LMC" opt kept.lmir --check-budget size=1
expect_error 1 "must be METRIC=NUMBER" "$LMC" opt kept.lmir --check-budget kl

# bisect by the gate: the pass, the application, files and commands that show it again.
expect_ok "$LMC" bisect "$MODEL" --check-budget rel=0.002 --set quantize.min_dim=100
expect_in out.txt "first bad: pass quantize (5 of "
expect_in out.txt "verified: good with"
expect_in out.txt "+ "
for f in bisect.start.lmir bisect.before.lmir bisect.after.lmir; do [ -s "$f" ] || fail "no $f"; done
cp out.txt found.txt
grep -oE 'lmc opt .*  # (fails|is good)$' found.txt >commands.txt
[ "$(wc -l <commands.txt)" -ge 2 ] || fail "no replay commands: $(cat found.txt)"
while IFS= read -r line; do
  eval "\"$LMC\" ${line#lmc }" >out.txt 2>err.txt </dev/null
  got=$?
  case $line in *"# fails") [ $got -eq 1 ] ;; *) [ $got -eq 0 ] ;; esac || fail "exit code $got: $line"
done <commands.txt
# … and by a command of one's own, over a graph.
expect_ok "$LMC" compile "$MODEL" --emit=import -o import.lmir
printf '#!/bin/sh\n! grep -q "role=attn_qkv" "$1"\n' >no_fused
chmod +x no_fused
expect_ok "$LMC" bisect import.lmir --run ./no_fused -o own --json
expect_in out.txt '"pass": "fuse-qkv"'
expect_in out.txt '"application": 1,'
[ -s own.after.lmir ] || fail "no own.after.lmir"
expect_error 1 "there is nothing to find" "$LMC" bisect import.lmir --passes=canonicalise
expect_error 1 "before any pass" "$LMC" bisect import.lmir --run false
expect_error 1 "cannot be run" "$LMC" bisect import.lmir --run ./no_such_command
expect_error 1 "nothing.lmir" "$LMC" bisect nothing.lmir
expect_error 1 "cannot test this graph" "$LMC" bisect import.lmir --run "exit 125;"

# reduce: by passes, and by a command.
expect_ok "$LMC" reduce bisect.start.lmir --passes=quantize --set quantize.min_dim=100 --check-budget rel=0.002 -o min.lmir
[ "$(grep -c ' = ' min.lmir)" -le 2 ] || fail "not small: $(cat min.lmir)"
replay min.lmir && fail "what reduce left does not fail"
expect_in err.txt "pass quantize: results changed by more than the budget"
printf '#!/bin/sh\ngrep -q "= attention(" "$1" && exit 3\nexit 0\n' >has_attention
chmod +x has_attention
expect_ok "$LMC" reduce import.lmir --run ./has_attention
[ "$(grep -c ' = ' out.txt)" -eq 1 ] || fail "more than the attention: $(cat out.txt)"
expect_in out.txt "attention(%"
cp out.txt once.txt
expect_ok "$LMC" reduce import.lmir --run ./has_attention
cmp -s out.txt once.txt || fail "reduce gives another graph the second time"
expect_ok "$LMC" reduce import.lmir --run ./has_attention --timeout 0.000001
expect_in err.txt "it may get smaller still"
expect_error 1 "the graph does not fail" "$LMC" reduce import.lmir --passes=fuse-qkv
expect_error 1 "nowhere/min.lmir" "$LMC" reduce import.lmir --run ./has_attention -o nowhere/min.lmir

# Three wrong passes as text: caught, located, shrunk to the op they get wrong.
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --emit=import -o gemma3.lmir
cat >swaps_kv.lmpass <<'END'
pass swaps-kv "K and V swapped in the caches of sliding layers"
after canonicalise
before fuse-qkv
match { %n = kv_append(%kv, %k, %v, %pos) }
when "a ring": rows(%kv) < 512
rewrite { %n = kv_append(%kv, %v, %k, %pos) }
END
cat >drops_bias.lmpass <<'END'
pass drops-bias "the biases of V dropped"
after canonicalise
before fuse-qkv
match { %y = linear(%x, %w, %b) {role=attn_v} }
rewrite { %y = linear(%x, %w) {role=attn_v} }
END
cat >window_off.lmpass <<'END'
pass window-off "windows one position short"
after canonicalise
before fuse-qkv
match { %y = attention(%q, %kv, %pos) {scale=$s, window=$w, softcap=$c} }
when "a window": $w > 1
rewrite { %y = attention(%q, %kv, %pos) {scale=$s, window=$w - 1, softcap=$c} }
END
for wrong in swaps_kv:gemma3:kv_append drops_bias:import:linear window_off:gemma3:attention; do
  IFS=: read -r pass graph op <<<"$wrong"
  name=${pass/_/-}
  expect_error 1 "pass $name: it is exact, but results changed: relative" "$LMC" opt "$graph.lmir" --pass "$pass.lmpass" --check
  cp repro.lmir "my $pass.lmir"
  sed -i "s|opt repro.lmir|opt 'my $pass.lmir'|" "my $pass.lmir"
  replay "my $pass.lmir" && fail "the repro of $name does not fail"
  expect_in err.txt "pass $name: it is exact, but results changed"
  expect_ok "$LMC" bisect "$graph.lmir" --pass "$pass.lmpass"
  expect_in out.txt "first bad: pass $name (2 of "
  expect_in out.txt "application 1 of "
  expect_ok "$LMC" reduce "my $pass.lmir" --pass "$pass.lmpass" -o "min $pass.lmir"
  [ "$(grep -c ' = ' "min $pass.lmir")" -eq 1 ] || fail "more than one op: $(cat "min $pass.lmir")"
  expect_in "min $pass.lmir" " = $op("
  replay "min $pass.lmir" && fail "what reduce left of $name does not fail"
  expect_in err.txt "pass $name: it is exact, but results changed"
done

# Shapes alone: every stage, to standard output or a file.
for stage in import opt plan; do
  expect_ok "$LMC" compile "$ROOT/models/gemma3.yaml" --size 270m --weights none --emit=$stage
  cp out.txt printed.txt
  expect_ok "$LMC" compile "$ROOT/models/gemma3.yaml" --size 270m --weights none --emit=$stage -o file.txt
  [ -s file.txt ] && cmp -s printed.txt file.txt || fail "--emit=$stage -o differs from what is printed"
done
expect_error 1 "nowhere/x" "$LMC" compile "$ROOT/models/gemma3.yaml" --size 270m --weights none --emit=opt -o nowhere/x
finish
