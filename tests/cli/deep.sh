# A graph of 60,000 ops in a row, 2 MB of text: nothing walks it by recursion, and nothing takes long.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
ulimit -s 8192

# On what a step computes.
awk 'BEGIN {
  print "graph @g (%v0: f32[T,4]) {"
  for (i = 1; i <= 60000; ++i) printf "  %%v%d = %s(%%v%d)\n", i, i % 2 ? "silu" : "tanh", i - 1
  print "  return %v60000\n}"
}' >step.lmir
expect_ok timeout 120 "$LMC" opt step.lmir -o same.lmir
[ "$(grep -c ' = ' same.lmir)" -eq 60000 ] || fail "ops were lost: $(grep -c ' = ' same.lmir)"
expect_ok timeout 120 "$LMC" opt step.lmir --passes=none --svg -o step.svg
[ "$(grep -c '<rect ' step.svg)" -eq 60002 ] || fail "the picture has $(grep -c '<rect ' step.svg) boxes"
expect_ok timeout 120 "$LMC" opt step.lmir --passes=none --dot -o step.dot
printf 'pass swap "another activation"\napproximate\nmatch { %%y = silu(%%x) }\nrewrite { %%y = relu(%%x) }\n' >swap.lmpass
expect_ok timeout 120 "$LMC" opt step.lmir --pass swap.lmpass --passes=swap -o swapped.lmir
[ "$(grep -c ' = relu(' swapped.lmir)" -eq 30000 ] || fail "$(grep -c ' = relu(' swapped.lmir) of 30000 rewritten"

# On a weight: a part of the graph takes along what it needs of them, and a picture counts them.
awk 'BEGIN {
  print "graph @g (%x: f32[T,4]) {\n  weight @w : f32[4,4]\n  scope a"
  print "  %w0 = transpose(@w)"
  for (i = 1; i <= 60000; ++i) printf "  %%w%d = transpose(%%w%d)\n", i, i - 1
  print "  scope b\n  %y = linear(%x, %w60000)\n  return %y\n}"
}' >weight.lmir
expect_ok timeout 120 "$LMC" opt weight.lmir --passes=none --scope b -o part.lmir
[ "$(grep -c ' = transpose(' part.lmir)" -eq 60001 ] || fail "the part lacks weights"
expect_ok timeout 120 "$LMC" opt weight.lmir --passes=none --svg -o weight.svg
expect_in weight.svg "@w f32[4,4]"
expect_ok timeout 120 "$LMC" opt weight.lmir --passes=canonicalise -o short.lmir
[ "$(grep -c ' = transpose(' short.lmir)" -eq 1 ] || fail "$(grep -c ' = transpose(' short.lmir) transposes are left"
finish
