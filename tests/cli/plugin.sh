# Plugins: built against an installed lmc, loaded, and refused with the reason.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
build=$(dirname "$(dirname "$LMC")")
cmake --install "$build" --prefix "$WORK/lmc" >install.txt 2>&1 || fail "install: $(tail -n 3 install.txt)"
LMC=$WORK/lmc/bin/lmc
expect_ok "$LMC" --version

# The example, as its own project.
{ cmake -G Ninja -S "$ROOT/tests/plugin" -B example -DCMAKE_PREFIX_PATH="$WORK/lmc" && cmake --build example; } >build.txt 2>&1 ||
  fail "the example does not build: $(tail -n 5 build.txt)"
so=example/softcap.so
cat >limit.lmir <<'END'
graph @g (%x: f32[T,4]) {
  %a = scale(%x) {by=0.03125}
  %b = tanh(%a)
  %y = scale(%b) {by=32}
  return %y
}
END
expect_ok "$LMC" opt limit.lmir --load-pass "$so" --check
expect_in out.txt "softcap(%x) {cap=32}"
expect_in err.txt "found 1 soft limits"
expect_ok "$LMC" test "$ROOT/tests/plugin" --load-pass "$so"
expect_in out.txt "ok     $ROOT/tests/plugin/softcap.lmir"
expect_ok "$LMC" passes --load-pass "$so"
expect_in out.txt "find-softcap"
[ "$(sed -n 2p out.txt | cut -d' ' -f1)" = find-softcap ] || fail "not in its place: $(head -n 3 out.txt)"
expect_ok "$LMC" passes --load-pass "$so" --explain find-softcap
expect_in out.txt 'from: --load-pass example/softcap.so'
expect_in out.txt 'and, in C++: the limit is above 0'

# An op and a kernel family of one's own, proven like any other; with a mistake in its kernel, refused, found and shrunk.
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --load-pass example/unit_norm.so -o own.lmc
expect_in err.txt "found 25 norms"
expect_in err.txt "verified 34 of 34 kernels"
expect_error 1 "where the evaluator of its group says" "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" --load-pass example/wrong_norm.so -o bad.lmc
expect_in err.txt "kernel lmc_unit_norm_t1"
[ -e bad.lmc ] && fail "a bundle with a wrong kernel was written"
grep -q 'unit_norm(' repro.lmir || fail "repro.lmir does not hold the group"
expect_ok "$LMC" bisect "$ROOT/models/tiny/gemma3.yaml" --load-pass example/wrong_norm.so --kernels -o found
expect_in out.txt "first bad: pass use-unit-norm"
expect_in out.txt "application 1 of 25"
expect_ok "$LMC" reduce found.after.lmir --load-pass example/wrong_norm.so --kernels --timeout 20 -o small.lmir
grep -q 'unit_norm(' small.lmir || fail "the small graph lost what is wrong"
# How far it gets in that time is the machine's business.
[ "$(wc -l <small.lmir)" -lt "$(wc -l <found.after.lmir)" ] || fail "reduce left $(wc -l <small.lmir) lines"

# Refused, whatever is wrong with it.
expect_error 1 "nowhere.so: cannot open" "$LMC" passes --load-pass nowhere.so
expect_error 1 "is a folder" "$LMC" passes --load-pass example
echo text >text.so
expect_error 1 "text.so: is not a shared object" "$LMC" passes --load-pass text.so
head -c 40 "$so" >short.so
expect_error 1 "short.so: is not a shared object" "$LMC" passes --load-pass short.so
expect_error 1 "is not a regular file" "$LMC" passes --load-pass /dev/null
head -c $(($(stat -c %s "$so") * 9 / 10)) "$so" >cut.so
expect_error 1 "cut.so: is cut short" "$LMC" passes --load-pass cut.so
sed 's/lmc-plugin-abi: lmc 0/lmc-plugin-abi: lmc 9/' "$so" >other.so
expect_error 1 "other.so: was built for another lmc" "$LMC" passes --load-pass other.so
expect_in err.txt "it has lmc 9"
expect_in err.txt "this is lmc 0"
expect_error 1 "brings no pass and no op, or is given twice" "$LMC" passes --load-pass "$so" --load-pass "$so"

# Small plugins of other kinds, with the include folder alone.
try() { # try NAME: compiles standard input
  ${CXX:-c++} -std=c++20 -shared -fPIC -I"$WORK/lmc/include/lmc" -x c++ - -o "$1.so" 2>cc.txt || fail "$1: $(head -n 5 cc.txt)"
}
try nosymbol <<'END'
extern "C" int nothing() { return 0; }
END
expect_error 1 "nosymbol.so: has no lmc_plugin_abi; write LMC_PLUGIN" "$LMC" passes --load-pass nosymbol.so
try empty <<'END'
#include "passes/engine/plugin.h"
LMC_PLUGIN
END
expect_error 1 "empty.so: brings no pass" "$LMC" passes --load-pass empty.so
try throws <<'END'
#include "passes/engine/plugin.h"
LMC_PLUGIN
static const int kNumber = std::stoi("no number");
END
expect_error 1 "throws.so: throws while it is loaded: stoi" "$LMC" passes --load-pass throws.so
try throws_later <<'END'
#include "passes/engine/plugin.h"
LMC_PLUGIN
namespace {
struct Throws : lmc::Pass {
  std::string name() const override { return "throws"; }
  std::string doc() const override { return ""; }
  bool run(lmc::Graph&, lmc::PassContext&) const override { throw 42; }
};
const lmc::RegisterPass kPass(std::make_unique<Throws>());
}
END
expect_error 1 "pass throws: it throws something that is no std::exception" "$LMC" opt limit.lmir --load-pass throws_later.so
expect_in repro.lmir "replay: lmc opt repro.lmir --load-pass throws_later.so --passes=throws"
try clash <<'END'
#include "passes/engine/plugin.h"
LMC_PLUGIN
namespace lmc {
LMC_FUSION(fuse_qkv, "taken").match("%y = silu(%x)").group();
}
END
expect_error 1 "clash.so: there is already a pass fuse-qkv, built in" "$LMC" passes --load-pass clash.so

# A plugin that brings an op, which a graph uses: known before the graph is read, in every command that reads one.
try cube <<'END'
#include "passes/engine/plugin.h"
#include "ir/ops/common.h"
LMC_PLUGIN
namespace lmc {
const RegisterOp kCube(ops::activation("cube", "x x x", [](double x, const EvalArgs&) { return x * x * x; }));
}
END
cat >cube.lmir <<'END'
graph @g (%x: f32[T,4]) {
  weight @w : f32[8,4]
  %y = linear(%x, @w) {role=ffn_up} : f32[T,8]
  %z = cube(%y) : f32[T,8]
  return %z
}
END
expect_error 1 "cube.lmir:4:3: unknown op 'cube'" "$LMC" opt cube.lmir
expect_ok "$LMC" opt cube.lmir --load-pass cube.so --check
expect_in out.txt "cube(%y)"
expect_in err.txt "fused 1 activations with their up projection"
expect_ok "$LMC" ops cube --load-pass cube.so
expect_in out.txt "activation: "
expect_ok "$LMC" diff cube.lmir cube.lmir --load-pass cube.so
printf 'pass wrong "drops it"\nmatch { %%z = cube(%%y) }\nrewrite { %%z = relu(%%y) }\n' >wrong.lmpass
expect_error 1 "pass wrong: it is exact" "$LMC" opt cube.lmir --load-pass cube.so --pass wrong.lmpass --passes=wrong --check
expect_in repro.lmir "replay: lmc opt repro.lmir --load-pass cube.so --pass wrong.lmpass --passes=wrong --check"
printf '// RUN: wrong\n' | cat - cube.lmir >cube_test.lmir
printf '// ---- error: unknown op\n' >>cube_test.lmir
expect_error 1 "1 of 1 tests failed" "$LMC" test cube_test.lmir --load-pass cube.so --pass wrong.lmpass
expect_ok "$LMC" reduce repro.lmir --load-pass cube.so --pass wrong.lmpass --passes=wrong
try cube_again <<'END'
#include "passes/engine/plugin.h"
#include "ir/ops/common.h"
LMC_PLUGIN
namespace lmc {
const RegisterOp kSilu(ops::activation("silu", "", [](double x, const EvalArgs&) { return x; }));
}
END
expect_error 1 "there is already an op 'silu'" "$LMC" ops --load-pass cube_again.so

# A pass that lowers the step of one token, and is wrong: found by name, shown again, shrunk.
try wrong_step <<'END'
#include "ir/op_def.h"
#include "passes/engine/plugin.h"
LMC_PLUGIN
namespace lmc {
struct WrongStep : Pass {
  std::string name() const override { return "wrong-step"; }
  std::string doc() const override { return "attention with other factors, in the step of one token"; }
  std::vector<std::string> after() const override { return {"specialise"}; }
  std::vector<std::string> before() const override { return {"split-attention"}; }
  PassPhase phase() const override { return PassPhase::lower_step; }
  bool run(Graph& g, PassContext& context) const override {
    for (OpId id : topo_order(g)) {
      if (g.op(id).def->name != "attention" || g.type(g.result(id)).dims[0] != 1 || context.applications >= context.limit) continue;
      g.set_attr(id, "scale", attr_real(g.op(id), "scale") * 1.5);
      ++context.applications;
    }
    return context.applications > 0;
  }
};
const RegisterPass kPass(std::make_unique<WrongStep>());
}  // namespace lmc
END
expect_ok "$LMC" bisect "$ROOT/models/tiny/gemma3.yaml" --load-pass wrong_step.so --disable-pass fuse-attention-out -o step
expect_in out.txt "first bad: pass wrong-step ("
expect_in out.txt ", lowering the step decode), application 1 of "
replay=$(grep -oE 'lmc opt step.start.lmir .*  # fails$' out.txt | head -n 1)
[ -n "$replay" ] || fail "no command that shows it again: $(cat out.txt)"
eval "\"\$LMC\" ${replay#lmc }" >out.txt 2>err.txt </dev/null && fail "it does not fail: $replay"
expect_in err.txt "pass wrong-step: it is exact, but results changed"
expect_ok "$LMC" reduce step.start.lmir --load-pass wrong_step.so --passes=wrong-step -o small_step.lmir
[ "$(grep -c ' = ' small_step.lmir)" -le 2 ] || fail "not small: $(cat small_step.lmir)"
expect_in small_step.lmir " = attention("

try undefined <<'END'
#include "passes/engine/plugin.h"
LMC_PLUGIN
void nobody_has_this();
static const int kOnce = (nobody_has_this(), 1);
END
expect_error 1 "undefined.so: cannot be loaded" "$LMC" passes --load-pass undefined.so
finish
