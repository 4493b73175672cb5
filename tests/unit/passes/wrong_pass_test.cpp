// Three deliberately wrong passes, right in most places: the gate catches each, bisect finds the application,
// reduce leaves little more than the op it got wrong.
#include <gtest/gtest.h>

#include "ir/diff.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "passes/debug/bisect.h"
#include "passes/debug/reduce.h"
#include "passes/engine/manager.h"
#include "toy_model.h"

namespace lmc {
namespace {

// Changes every op of one kind, at each place in a way that is right or in one that is not.
class PerPlace : public Pass {
 public:
  using Edit = std::function<void(Graph& g, OpId id)>;
  PerPlace(std::string name, std::function<bool(const Graph&, OpId)> fits, Edit edit)
      : name_(std::move(name)), fits_(std::move(fits)), edit_(std::move(edit)) {}
  std::string name() const override { return name_; }
  std::string doc() const override { return "is wrong in places"; }
  std::vector<std::string> after() const override { return {"canonicalise"}; }
  std::vector<std::string> before() const override { return {"fuse-qkv", "quantize"}; }
  bool run(Graph& g, PassContext& context) const override {
    for (OpId id : topo_order(g)) {
      if (context.applications >= context.limit || !fits_(g, id)) continue;
      edit_(g, id);
      ++context.applications;
    }
    return context.applications > 0;
  }

 private:
  std::string name_;
  std::function<bool(const Graph&, OpId)> fits_;
  Edit edit_;
};

bool is(const Graph& g, OpId id, const std::string& op) { return g.op(id).def->name == op; }

// The operand times one: a change that changes nothing.
void times_one(Graph& g, OpId id, size_t operand) {
  const ValueId v = g.op(id).operands[operand];
  g.set_operand(id, operand, g.result(g.add_op("scale", {v}, {{"by", 1.0}}, {}, g.op(id).scope)));
}

bool touched(const Graph& g, OpId id, size_t operand) {
  const Op* made = g.def_op(g.op(id).operands[operand]);
  return made && made->def->name == "scale";
}

const RegisterPass kSwapsKv(std::make_unique<PerPlace>(
    "bad-swaps-kv-of-rings",
    [](const Graph& g, OpId id) { return is(g, id, "kv_append") && !touched(g, id, 1); },
    [](Graph& g, OpId id) {
      times_one(g, id, 1);
      const ValueId k = g.op(id).operands[1];
      const ValueId v = g.op(id).operands[2];
      if (g.type(g.op(id).operands[0]).dims[0] >= 64) return;
      g.set_operand(id, 1, v);
      g.set_operand(id, 2, k);
    }));

const RegisterPass kDropsBias(std::make_unique<PerPlace>(
    "bad-drops-bias-of-v",
    [](const Graph& g, OpId id) { return is(g, id, "linear") && g.op(id).operands.size() == 3; },
    [](Graph& g, OpId id) {  // linear(x, w, b) → add(linear(x, w), b)
      const Op& op = g.op(id);
      const bool wrong = attr_string(op, "role") == "attn_v";
      const ValueId old = op.results[0];
      const ValueId bias = op.operands[2];
      const OpId bare = g.add_op("linear", {op.operands[0], op.operands[1]}, op.attrs, {}, op.scope);
      const ValueId now = wrong ? g.result(bare) : g.result(g.add_op("add", {g.result(bare), bias}));
      g.replace_all_uses(old, now);
      g.erase_op(id);
    }));

const RegisterPass kWindow(std::make_unique<PerPlace>(
    "bad-window-off-by-one",
    [](const Graph& g, OpId id) { return is(g, id, "attention") && !touched(g, id, 0); },
    [](Graph& g, OpId id) {
      times_one(g, id, 0);
      if (const int64_t window = attr_int(g.op(id), "window"); window > 1)
        g.set_attr(id, "window", window - 1);
    }));

PassOptions with_pass(const std::string& name) {
  PassOptions o;
  o.only =
      std::vector<std::string>{"canonicalise", name, "fuse-gate-up", "fold-weights", "quantize", "kv-format"};
  o.check = true;
  o.repro_path.clear();
  return o;
}

struct Wrong {
  const char* pass;
  int64_t application, applications;  // that bisect must find in the toy model
  size_t most_ops;                    // that reduce may leave
};

void PrintTo(const Wrong& w, std::ostream* out) { *out << w.pass; }

const Wrong kWrong[] = {
    {"bad-swaps-kv-of-rings", 3, 4, 1},  // the third of four layers has a ring
    {"bad-drops-bias-of-v", 3, 28, 1},   // q, k, v of the first layer
    {"bad-window-off-by-one", 3, 4, 1},
};

class WrongPass : public testing::TestWithParam<Wrong> {};

TEST_P(WrongPass, is_caught_by_the_gate) {
  Graph g = parse_graph(toy_model({}));
  try {
    run_passes(g, with_pass(GetParam().pass));
    FAIL() << "not caught";
  } catch (const PassFailure& e) {
    EXPECT_EQ(e.pass, GetParam().pass);
    EXPECT_EQ(e.kind, FailureKind::results_changed);
    EXPECT_NE(std::string(e.what()).find("it is exact, but results changed: relative"), std::string::npos)
        << e.what();
  }
}

TEST_P(WrongPass, is_located_by_bisect) {
  std::vector<std::string> progress;
  const BisectResult r = bisect(parse_graph(toy_model({})), with_pass(GetParam().pass), nullptr,
                                [&](const std::string& line) { progress.push_back(line); });
  EXPECT_EQ(r.pass, GetParam().pass);
  EXPECT_EQ(r.pass_number, 2);
  EXPECT_EQ(r.application, GetParam().application);
  EXPECT_EQ(r.applications, GetParam().applications);
  EXPECT_TRUE(r.alone);
  EXPECT_LE(r.checks, 12) << "by halves, not one after the other";
  EXPECT_FALSE(progress.empty());
  const Graph before = parse_graph(r.before);
  const Graph after = parse_graph(r.after);
  const GraphDiff changed = diff_graphs(before, after);
  EXPECT_FALSE(changed.same());
  EXPECT_LE(changed.ops.size(), 5u) << "one application, not all of them";
}

TEST_P(WrongPass, is_shrunk_by_reduce) {
  PassOptions passes = with_pass(GetParam().pass);
  const Graph g = parse_graph(toy_model({.layers = 3}));
  ReduceOptions options;
  options.failure = pass_failure(passes);
  const ReduceResult r = reduce(g, options);
  EXPECT_EQ(r.failure, std::string("pass ") + GetParam().pass + ": results change");
  EXPECT_EQ(options.failure(r.graph), r.failure);
  EXPECT_TRUE(r.finished);
  EXPECT_LE(r.graph.ops().size(), GetParam().most_ops) << print_graph(r.graph);
  EXPECT_EQ(r.graph.outputs().size(), 1u);
  for (const std::vector<ValueId>& values : {r.graph.inputs(), r.graph.weights()}) {
    for (ValueId v : values) EXPECT_LE(r.graph.type(v).elements(), 4) << print_graph(r.graph);
  }
  EXPECT_EQ(print_graph(reduce(g, options).graph), print_graph(r.graph)) << "another result the second time";
}

INSTANTIATE_TEST_SUITE_P(All, WrongPass, testing::ValuesIn(kWrong), [](const auto& info) {
  std::string name = info.param.pass;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Bisect, a_budget_that_quantising_breaks_is_traced_to_the_projection_that_breaks_it) {
  PassOptions o = with_pass("fuse-qkv");
  o.budget = parse_budget("rel=0.002");
  const BisectResult r = bisect(parse_graph(toy_model({})), o, nullptr, [](const std::string&) {});
  EXPECT_EQ(r.pass, "quantize");
  EXPECT_GE(r.application, 1);
  EXPECT_NE(r.wrong.find("> 0.002"), std::string::npos) << r.wrong;
}

TEST(Bisect, a_test_of_ones_own_decides_instead_of_the_gate) {
  const GraphTest few_splits = [](const Graph& g) -> std::string {
    int splits = 0;
    for (OpId id : g.ops()) splits += g.op(id).def->name == "split";
    return splits > 6 ? "too many splits" : "";
  };
  const BisectResult r = bisect(parse_graph(toy_model({.biased = false})), with_pass("fuse-qkv"), few_splits,
                                [](const std::string&) {});
  EXPECT_EQ(r.pass, "fuse-gate-up");
  EXPECT_EQ(r.application, 3) << "four QKV triples, then the third pair";
  EXPECT_EQ(r.wrong, "too many splits");
}

TEST(Bisect, where_nothing_is_wrong_it_says_so) {
  try {
    bisect(parse_graph(toy_model({})), with_pass("fuse-qkv"), nullptr, [](const std::string&) {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("there is nothing to find"), std::string::npos) << e.what();
  }
  try {
    bisect(
        parse_graph(toy_model({})), with_pass("fuse-qkv"), [](const Graph&) { return "never good"; },
        [](const std::string&) {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("before any pass: never good"), std::string::npos) << e.what();
  }
}

// Throws at the sixth linear; says nothing of how many it would change.
class Throws : public Pass {
 public:
  std::string name() const override { return "bad-throws-late"; }
  std::string doc() const override { return "throws at the sixth linear"; }
  std::vector<std::string> after() const override { return {"canonicalise"}; }
  std::vector<std::string> before() const override { return {"fuse-qkv"}; }
  bool run(Graph& g, PassContext& context) const override {
    int seen = 0;
    for (OpId id : topo_order(g)) {
      if (!is(g, id, "linear") || touched(g, id, 0) || context.applications >= context.limit) continue;
      if (++seen == 6) throw Error("%" + g.value(g.result(id)).name + " has 6 friends");
      times_one(g, id, 0);
      ++context.applications;
    }
    return context.applications > 0;
  }
};
const RegisterPass kThrows(std::make_unique<Throws>());

TEST(Bisect, a_pass_that_throws_is_located_too) {
  const BisectResult r =
      bisect(parse_graph(toy_model({})), with_pass("bad-throws-late"), nullptr, [](const std::string&) {});
  EXPECT_EQ(r.pass, "bad-throws-late");
  EXPECT_EQ(r.application, 6);
  EXPECT_EQ(r.applications, 0);
  EXPECT_NE(r.wrong.find("has 6 friends"), std::string::npos);
  EXPECT_EQ(r.after, "");
}

TEST(Reduce, a_pass_that_throws_keeps_its_message_but_for_names_and_numbers) {
  ReduceOptions options;
  options.failure = pass_failure(with_pass("bad-throws-late"));
  const ReduceResult r = reduce(parse_graph(toy_model({.layers = 2})), options);
  EXPECT_EQ(r.failure, "pass bad-throws-late: it throws: # has # friends");
  EXPECT_EQ(r.graph.ops().size(), 6u) << print_graph(r.graph);
}

TEST(Reduce, a_graph_that_does_not_fail_is_refused) {
  ReduceOptions options;
  options.failure = pass_failure(with_pass("fuse-qkv"));
  EXPECT_THROW(reduce(parse_graph(toy_model({})), options), Error);
}

TEST(Reduce, it_ends_when_told_to_with_what_there_is) {
  ReduceOptions options;
  options.failure = pass_failure(with_pass("bad-window-off-by-one"));
  int left = 10;
  options.go_on = [&] { return left-- > 0; };
  const ReduceResult r = reduce(parse_graph(toy_model({.layers = 3})), options);
  EXPECT_FALSE(r.finished);
  EXPECT_LE(r.attempts, 10);
  EXPECT_EQ(options.failure(r.graph), r.failure);
}

// Groups, their bodies and tied dimensions: wrong wherever a group holds a gelu_tanh.
TEST(Reduce, groups_are_opened_or_emptied_and_dimensions_follow) {
  const std::string text = R"(graph @g (%x: f32[T,48]) {
    weight @w : f32[96,48]
    %s = silu(%x)
    %y = linear(%s, @w)
    %a, %b = split(%y) {sizes=[64,32]}
    %c = group(%a) {name=pair} : f32[T,64] {
      inputs (%i: f32[T,64])
      %t = tanh(%i)
      %u = gelu_tanh(%t)
      %v = relu(%u)
      return %v
    }
    %d = reshape(%c) {shape=[4,16]}
    %e = silu(%d)
    return %e, %b
  })";
  ReduceOptions options;
  options.failure = [](const Graph& g) -> std::string {
    for (OpId id : g.ops()) {
      if (!g.op(id).body) continue;
      for (OpId inner : g.op(id).body->ops()) {
        if (g.op(id).body->op(inner).def->name == "gelu_tanh") return "gelu in a group";
      }
    }
    return "";
  };
  const ReduceResult r = reduce(parse_graph(text), options);
  EXPECT_EQ(print_graph(r.graph), R"(graph @g (%a: f32[T,1]) {
  %c = group(%a) : f32[T,1] {
    inputs (%i: f32[T,1])
    %u = gelu_tanh(%i) : f32[T,1]
    return %u
  }
  return %c
}
)");
}

TEST(Budget, it_is_read_and_written_and_mistakes_are_named) {
  EXPECT_EQ(parse_budget("kl=0.01,sqnr=30").str(), "kl=0.01,sqnr=30");
  EXPECT_EQ(parse_budget("rel=inf").str(), "rel=inf");
  EXPECT_EQ(CheckBudget().str(), "");
  for (const char* wrong : {"", "kl", "kl=", "kl=x", "kl=-1", "top1=2", "klx=1", "kl=1,", "kl=nan", "=1"})
    EXPECT_THROW(parse_budget(wrong), Error) << wrong;
}

TEST(Budget, quantising_within_it_passes_and_beyond_it_fails_with_the_figures) {
  Graph g = parse_graph(toy_model({}));
  PassOptions o = with_pass("fuse-qkv");
  const std::vector<PassReport> reports = run_passes(g, o);
  for (const PassReport& r : reports) {
    if (r.pass == "quantize") {
      EXPECT_EQ(r.checks.size(), 2u);
      EXPECT_GT(r.checks[1].max_rel, kExactTolerance);
    }
  }
  o.budget = parse_budget("sqnr=90");
  Graph again = parse_graph(toy_model({}));
  try {
    run_passes(again, o);
    FAIL();
  } catch (const PassFailure& e) {
    EXPECT_EQ(e.kind, FailureKind::over_budget);
    EXPECT_NE(std::string(e.what()).find("more than the budget: SQNR (dB)"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("< 90"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace lmc
