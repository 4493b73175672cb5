# Passes as text files: the same graphs as their C++ twins, errors with their place, and what lmc says of passes and ops.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
E=$ROOT/passes/examples

# Twins: one by one and all at once, quantised and not, over the tiny models.
for model in "$ROOT"/models/tiny/*.yaml; do
  for quant in q8_0 none; do
    expect_ok "$LMC" compile "$model" --emit=opt --quant $quant
    mv out.txt twin.txt
    grep -qE 'attn_qkv' twin.txt || fail "nothing to compare in $model"
    while read -r off file; do
      expect_ok "$LMC" compile "$model" --emit=opt --quant $quant --disable-pass $off --pass "$E/$file.lmpass"
      cmp -s out.txt twin.txt || fail "$file is not $off on $model: $(diff out.txt twin.txt | head -n 5)"
    done <<'END'
fuse-qkv qkv
fuse-gate-up gate_up
fuse-up-act up_act
END
    expect_ok "$LMC" compile "$model" --emit=opt --quant $quant --disable-pass fuse-qkv,fuse-gate-up,fuse-up-act \
      --pass "$E/qkv.lmpass" --pass "$E/gate_up.lmpass" --pass "$E/up_act.lmpass"
    cmp -s out.txt twin.txt || fail "the three together differ on $model"
  done
done
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o text.lmc --disable-pass fuse-qkv --pass "$E/qkv.lmpass"
expect_ok "$LMC" run text.lmc --prompt "ROMEO:" --max-tokens 2 --temperature 0

# Mistakes.
printf 'graph @g (%%x: f32[T,4]) {\n  %%y = silu(%%x)\n  return %%y\n}\n' >g.lmir
expect_error 1 "nowhere.lmpass: cannot open" "$LMC" opt g.lmir --pass nowhere.lmpass
: >empty.lmpass
expect_error 1 "empty.lmpass:1:1: expected 'pass NAME" "$LMC" opt g.lmir --pass empty.lmpass
printf 'pass mine "doc"\nmatch {\n  %%y = silu(%%x)\n}\nwhen "no": dtype(%%x) = f32\ngroup\n' >mine.lmpass
expect_error 1 "mine.lmpass:5:22: expected " "$LMC" opt g.lmir --pass mine.lmpass
sed -i 's/= f32/== f16/' mine.lmpass
expect_ok "$LMC" opt g.lmir --pass mine.lmpass --passes=mine --explain
expect_in err.txt "mine did not fire: refused, for it does not hold that no (dtype(%x) is f32)"
expect_error 1 "pass mine is also in another file given, or given twice" "$LMC" opt g.lmir --pass mine.lmpass --pass mine.lmpass
sed 's/pass mine/pass quantize/' mine.lmpass >taken.lmpass
expect_error 1 "taken.lmpass: there is already a pass quantize, built in" "$LMC" opt g.lmir --pass taken.lmpass
head -c 100000 /dev/urandom >noise.lmpass
expect_error 1 "noise.lmpass:1:" "$LMC" opt g.lmir --pass noise.lmpass
printf 'pass wrong "drops an op"\nmatch { %%y = silu(%%x) }\nrewrite { %%y = tanh(%%x) }\n' >wrong.lmpass
expect_error 1 "pass wrong: it is exact, but results changed" "$LMC" opt g.lmir --pass wrong.lmpass --check
expect_in repro.lmir "replay: lmc opt repro.lmir --pass wrong.lmpass --passes=wrong --check"
eval "expect_error 1 'pass wrong: it is exact' $(sed -n '1s/.*replay: lmc/"$LMC"/p' repro.lmir)"

# What a token costs behind each pass, and the passes that run on request only.
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --emit=opt --price --enable-pass fuse-rope-append
expect_in err.txt "fused 6 ropes with their cache"
grep -qE '^  \(as it was\) +87 ' err.txt || fail "no price of the model as it was: $(cat err.txt)"
grep -qE '^  fuse-norm-linear +13 +38 ' err.txt || fail "no price behind fuse-norm-linear: $(cat err.txt)"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --emit=opt
grep -q "ropes" err.txt && fail "a pass on request ran unasked"
expect_ok "$LMC" opt g.lmir --passes none --price
expect_in err.txt "(as it was): no plan, "
expect_error 1 "there is no pass 'fuse-rope'" "$LMC" opt g.lmir --enable-pass fuse-rope

# What there is.
expect_ok "$LMC" passes --explain fuse-up-act
expect_in out.txt "order: 8 of 19"
expect_in out.txt "optional %q = quantize(%h)"
expect_in out.txt "example (tests/passes/fuse_up_act.lmir), before:"
expect_in out.txt '{name="fuse-up-act"}'
for pass in $("$LMC" passes | grep -o '^[a-z][a-z0-9-]*'); do
  expect_ok "$LMC" passes --explain "$pass"
  expect_in out.txt "after:"
done
expect_ok "$LMC" passes --explain mine --pass mine.lmpass
expect_ok "$LMC" passes --json --pass mine.lmpass
expect_in out.txt '"origin": "--pass mine.lmpass"'
expect_error 1 "no pass 'fuse-qvk'; did you mean fuse-qkv?" "$LMC" passes --explain fuse-qvk
expect_ok "$LMC" ops rms_norm
expect_in out.txt "%y = rms_norm(%x, %w) {eps=…}"
expect_error 1 "unknown op 'liner'; did you mean linear?" "$LMC" ops liner

# Every function of the condition language is in the documentation.
functions=$(grep -oE '(about_type|about_value|of_numbers)\("[a-z_]+"|^ *\{"[a-z_]+"' "$ROOT/passes/pattern/functions.cpp" | grep -oE '"[a-z_]+"' | tr -d '"')
[ "$(wc -w <<<"$functions")" -ge 19 ] || fail "only these functions of the condition language were found: $functions"
for f in $functions; do
  grep -q "\`$f(" "$ROOT/passes/README.md" || fail "passes/README.md does not mention $f("
done

# A file in tests/passes is a test without being listed anywhere.
"$(dirname "$LMC")/test_passes" --gtest_list_tests --gtest_filter='*LmirFile*' >listed.txt
for f in "$ROOT"/tests/passes/*.lmir; do
  grep -q "/$(basename "$f" .lmir) " listed.txt || fail "$(basename "$f") is no test yet: build again"
done
finish
