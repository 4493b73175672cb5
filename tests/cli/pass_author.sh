# What the author of a pass is told: tests of one's own, why nothing fired, several passes in a file, a verdict by
# logits alone, files that are never half-written.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"

# lmc test.
cat >mine.lmpass <<'END'
pass mine-a "silu becomes relu"
approximate
match { %y = silu(%x) }
rewrite { %y = relu(%x) }

pass mine-b "relu becomes tanh"
after mine-a
approximate
match { %y = relu(%x) }
rewrite { %y = tanh(%x) }
END
graph='graph @g (%x: f32[T,4]) {
  %y = silu(%x) : f32[T,4]
  return %y
}'
mkdir tests
printf '// RUN: mine-a,mine-b\n%s\n// ---- after\n%s\n' "$graph" "${graph/silu/tanh}" >tests/both.lmir
printf '// RUN: mine.lmpass\n%s\n// ---- after\n%s\n' "$graph" "${graph/silu/tanh}" >tests/file.lmir
expect_ok "$LMC" test tests --pass mine.lmpass
expect_in out.txt "ok     tests/both.lmir"
expect_ok "$LMC" test tests/file.lmir
printf '// RUN: mine-a\n%s\n// ---- unchanged\n' "$graph" >wrong.lmir
expect_error 1 "1 of 3 tests failed" "$LMC" test wrong.lmir tests --pass mine.lmpass
expect_in out.txt "FAILED wrong.lmir"
expect_in out.txt "line 2 of the result: expected '  %y = silu(%x) : f32[T,4]', found '  %y = relu(%x) : f32[T,4]'"
expect_error 1 "tests failed" "$LMC" test tests/both.lmir
expect_in out.txt "there is no pass 'mine-a'"
expect_error 1 "1 of 1 tests failed" "$LMC" test nowhere.lmir
expect_in out.txt "nowhere.lmir: cannot open"
expect_ok "$LMC" test "$ROOT/tests/passes/fuse_qkv.lmir" "$ROOT/tests/passes/unknown_op.lmir"

# Why nothing fired.
printf '%s\n' "$graph" >g.lmir
expect_ok "$LMC" opt g.lmir --passes=fuse-qkv --explain
expect_in err.txt "fuse-qkv did not fire: the search begins at linear role=attn_q, and there is none"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --emit=opt --set fuse-gate-up.biased=skip --passes=fuse-up-act --explain
[ "$(grep -c 'fuse-up-act did not fire' err.txt)" -le 3 ] || fail "one line for each layer: $(cat err.txt)"

# A layer less: other caches, and logits that the budget bears.
cat >skip.lmpass <<'END'
pass skip-ffn "leaves out the first layer's feed-forward part"
after canonicalise
before fuse-qkv
approximate logits
match {
  %y = add(%h, %d)
  %d = linear(%m, %w, %b?) {role=ffn_down}
}
when "the layer is the first": scope(%d) == "layers.0.ffn"
rewrite { %y = scale(%h) {by=1} }
END
model="$ROOT/models/tiny/gpt2.yaml"
expect_ok "$LMC" compile "$model" --emit=opt --passes=skip-ffn --pass skip.lmpass --check-budget rel=10,kl=10,sqnr=-50
expect_in err.txt "check skip-ffn (within budget, logits alone): T=1:"
expect_error 1 "is none of abs, rel, top1, kl, sqnr, caches" "$LMC" opt g.lmir --check-budget cache=no
expect_error 1 "caches is yes or no" "$LMC" opt g.lmir --check-budget caches=0

# All of a file or nothing.
printf 'before\n' >kept.txt
chmod 640 kept.txt
expect_error 1 "unknown op" "$LMC" opt <(printf 'graph @g (%%x: f32[T,4]) {\n  %%y = silo(%%x)\n  return %%y\n}\n') -o kept.txt
[ "$(cat kept.txt)" = before ] || fail "kept.txt was touched"
ln -s kept.txt link.txt
expect_ok "$LMC" opt g.lmir -o link.txt
[ -L link.txt ] && grep -q 'silu' kept.txt || fail "the link was replaced"
[ "$(stat -c %a kept.txt)" = 640 ] || fail "kept.txt has another mode now"
expect_ok "$LMC" opt g.lmir -o /dev/null
[ -c /dev/null ] || fail "/dev/null is no device any more"
if [ "$(id -u)" -ne 0 ]; then
  mkdir locked && cp kept.txt locked/ && chmod 500 locked
  expect_error 1 "cannot write" "$LMC" opt g.lmir -o locked/kept.txt
fi
(ulimit -f 1; "$LMC" compile "$model" --emit=plan -o kept.txt) >out.txt 2>err.txt </dev/null && fail "a file too large was written"
grep -q 'silu' kept.txt || fail "kept.txt is half-written"
[ -z "$(find . -name '*.tmp*')" ] || fail "left behind: $(find . -name '*.tmp*')"

# What --ab compares may be flags.
expect_error 2 "--model" "$LMC" bench --ab "--quant none" "--quant q8_0"
# A group that becomes two kernels, and a weight that is stored twice, are said where it happens.
cat >two.lmpass <<'END'
pass mine-two "a group that cannot be one kernel"
after fuse-rope-append

match {
  %y = linear(%x, %w) {role=ffn_down}
  %n = rms_norm(%y, %g)
}
group
END
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --pass two.lmpass --disable-pass fuse-norm-linear --emit=opt
expect_in err.txt "two.lmpass:5:3: group %"
expect_in err.txt "of mine-two (--pass two.lmpass): 2 kernels in a step of one token (linear: linear; row: rms_norm add rms_norm)"
# … and one that can be no kernel, at its place: told when it runs, refused when it is to be compiled.
cat >gated.lmpass <<'END'
pass mine-gated "two contractions in one group"
before fuse-qkv

match {
  %g = linear(%x, %w) {role=ffn_gate}
  %u = linear(%x, %v) {role=ffn_up}
  %y = mul(%a, %u)
  %a = gelu_tanh(%g)
}
group "both"
END
refused="gated.lmpass:5:3: group %h of both (--pass gated.lmpass) cannot be a kernel: pass form-kernels: "
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --pass gated.lmpass --emit=opt
expect_in err.txt "$refused"
expect_error 1 "$refused" "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --pass gated.lmpass -o gated.lmc
expect_in err.txt "holds two contractions (linear"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --pass gated.lmpass --emit=opt -o gated.lmir
expect_ok "$LMC" opt g.lmir --pass gated.lmpass
if grep -q "cannot be a kernel" err.txt; then fail "a part of a model is no step: $(cat err.txt)"; fi

expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --pass "$ROOT/passes/examples/fold_embedding_scale.lmpass" --emit=decode
expect_in err.txt "weight model.embed_tokens.weight is stored more than once: f32 ("
finish
