// A pass that lowers a step, wrong on purpose: the gate catches it, bisect finds it by name and step, reduce
// leaves little more than the op it got wrong.
#include <gtest/gtest.h>

#include <algorithm>

#include "agreement.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "passes/debug/bisect.h"
#include "passes/debug/reduce.h"
#include "passes/engine/lowering.h"
#include "quiet.h"

namespace lmc {
namespace {

// Forgets a factor, in the second of them, in steps of one token or in blocks of them.
class ForgetsFactor : public Pass {
 public:
  ForgetsFactor(std::string name, bool one_token) : name_(std::move(name)), one_token_(one_token) {}
  std::string name() const override { return name_; }
  std::string doc() const override { return "is wrong in one kind of step"; }
  std::vector<std::string> after() const override { return {"specialise"}; }
  std::vector<std::string> before() const override { return {"form-kernels"}; }
  PassPhase phase() const override { return PassPhase::lower_step; }
  bool standard() const override { return false; }
  bool run(Graph& g, PassContext& context) const override {
    const std::vector<ValueId> inputs = g.inputs();
    const bool blocks = std::any_of(inputs.begin(), inputs.end(), [&](ValueId v) {
      return !g.type(v).dims.empty() && g.type(v).dims[0] == kDimT;
    });
    if (blocks == one_token_) return false;
    for (OpId id : topo_order(g)) {
      if (context.applications >= context.limit) break;
      if (g.op(id).def->name != "scale" || attr_real(g.op(id), "by") == 1) continue;
      const bool wrong = attr_real(g.op(id), "by") == 3;
      const ValueId once = g.result(id);
      const OpId half =
          g.add_op("scale", {g.op(id).operands[0]}, {{"by", wrong ? 1 : attr_real(g.op(id), "by")}});
      g.replace_all_uses(once, g.result(g.add_op("scale", {g.result(half)}, {{"by", 1.0}})));
      g.erase_op(id);
      ++context.applications;
    }
    return context.applications > 0;
  }

 private:
  std::string name_;
  bool one_token_;
};

const RegisterPass kOneToken(std::make_unique<ForgetsFactor>("bad-factor-of-decode", true));
const RegisterPass kBlocks(std::make_unique<ForgetsFactor>("bad-factor-of-prefill", false));

std::string scaled() {
  return model(8, "  weight @w : f32[8,8]\n",
               "  %a = scale(%x) {by=2}\n  %b = linear(%a, @w)\n  %c = tanh(%b)\n  %y = scale(%c) {by=3}\n");
}

BisectResult bisected(const std::string& text, const PassOptions& options) {
  return bisect(parse_graph(text), options, {}, [](const std::string&) {});
}

TEST(WrongLowering, is_caught_by_the_gate) {
  PassOptions o = quiet();
  o.enabled = {"bad-factor-of-decode"};
  o.check = true;
  try {
    lower(parse_graph(scaled()), {16}, o);
    FAIL() << "not caught";
  } catch (const PassFailure& e) {
    EXPECT_EQ(e.pass, "bad-factor-of-decode");
  }
}

TEST(WrongLowering, is_found_by_bisect_with_the_step_that_it_lowers) {
  for (const std::string step : {"decode", "prefill"}) {
    PassOptions o = quiet();
    o.enabled = {"bad-factor-of-" + step};
    const BisectResult r = bisected(scaled(), o);
    EXPECT_EQ(r.pass, "bad-factor-of-" + step);
    EXPECT_EQ(r.step, step);
    EXPECT_EQ(r.application, 2);
    EXPECT_EQ(r.applications, 3);
    EXPECT_NE(r.start.find("i32[" + std::string(step == "decode" ? "1" : "T") + "]"), std::string::npos);
  }
}

TEST(WrongLowering, is_shrunk_by_reduce) {
  PassOptions o = quiet();
  o.enabled = {"bad-factor-of-decode"};
  const BisectResult r = bisected(scaled(), o);
  PassOptions alone = quiet();
  alone.only = std::vector<std::string>{r.pass};
  alone.check = true;
  const ReduceResult small = reduce(parse_graph(r.start), {.failure = pass_failure(alone)});
  EXPECT_LE(small.graph.ops().size(), 2U) << print_graph(small.graph);
}

TEST(WrongLowering, is_not_asked_of_graphs_that_are_no_step) {
  const std::string part = "graph @part (%x: f32[T,8]) {\n  %y = silu(%x)\n  return %y\n}\n";
  try {
    bisected(part, quiet());
    FAIL() << "found something";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("there is nothing to find"), std::string::npos) << e.what();
  }
}

TEST(WrongLowering, a_right_one_leaves_nothing_to_find) {
  try {
    bisected(scaled(), quiet());
    FAIL() << "found something";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("there is nothing to find"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace lmc
