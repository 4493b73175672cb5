// Every pass, and all of them together, over random graphs: sound, honest, the numeric gate, the round trip
// of the text. LMC_PROPERTY_ROUNDS=5000 build/release/bin/test_passes --gtest_filter='Property*' for a longer
// run; LMC_PROPERTY_SEED moves on to other graphs. A failure is printed as what reduce leaves of it.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "ir/op_def.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/debug/reduce.h"
#include "passes/engine/manager.h"
#include "random_graph.h"
#include "tests/unit/from_environment.h"

namespace lmc {
namespace {

constexpr unsigned kQuickRounds = 100;

// Big enough numbers drown differences, and what is no number compares with nothing.
bool can_be_judged(const Graph& g) {
  try {
    const auto evaluation = NumericGate(g, nullptr).evaluate(g);
    for (const auto& outputs : *evaluation) {
      for (const Tensor& t : outputs) {
        for (double v : t.data) {
          if (!(std::fabs(v) < 1e6)) return false;
        }
      }
    }
    return true;
  } catch (const Error&) {  // chunks of attention that do not reach, and the like
    return false;
  }
}

PassOptions checked(std::vector<std::string> passes) {
  PassOptions o;
  o.only = std::move(passes);
  o.check = true;
  o.repro_path.clear();
  add_setting(o, "shard.ranks=4");
  // Eight random columns are no model: how far rounding them goes is not the question here.
  o.budget = parse_budget("rel=inf,kl=inf,sqnr=-inf");
  return o;
}

// Everything that must hold after `passes` ran over `g`; "" or what does not.
std::string complaint(const Graph& g, const PassOptions& options) {
  Graph after = g.clone();
  try {
    run_passes(after, options);
    verify(after);
    const std::string text = print_graph(after);
    if (print_graph(parse_graph(text)) != text) return "the text does not round-trip";
  } catch (const PassFailure& e) {
    return e.what();
  }
  return "";
}

// What the program starts with: other tests of it register passes of their own, some before it starts.
std::vector<std::string> built_in() {
  std::vector<std::string> out;
  for (const Pass* p : ordered_passes()) {
    if (!p->name().starts_with("bad-")) out.push_back(p->name());
  }
  return out;
}
const std::vector<std::string> kBuiltIn = built_in();

TEST(Property, every_pass_keeps_every_random_graph_right) {
  std::vector<std::vector<std::string>> pipelines = {kBuiltIn};
  for (const std::string& pass : kBuiltIn) pipelines.push_back({pass});
  const unsigned first = from_environment("LMC_PROPERTY_SEED", 100);
  const unsigned rounds = from_environment("LMC_PROPERTY_ROUNDS", kQuickRounds);
  std::map<std::string, int> ops, changed;
  unsigned judged = 0;
  for (unsigned seed = first; seed < first + rounds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph g = random_graph(seed);
    verify(g);
    const std::string text = print_graph(g);
    ASSERT_EQ(print_graph(parse_graph(text)), text);
    if (!can_be_judged(g)) continue;
    ++judged;
    for (OpId id : g.ops()) ++ops[g.op(id).def->name];
    for (const auto& passes : pipelines) {
      const PassOptions options = checked(passes);
      const std::string wrong = complaint(g, options);
      if (!wrong.empty()) {
        const ReduceResult small = reduce(g, {.failure = pass_failure(options)});
        FAIL() << wrong << "\n" << print_graph(small.graph);
      }
      Graph after = g.clone();
      PassOptions fast = options;
      fast.check = false;
      for (const PassReport& r : run_passes(after, fast)) changed[r.pass] += r.changed;
    }
  }
  // The graphs are worth something: most can be judged, every op occurs, every pass has work.
  EXPECT_GT(judged, rounds * 3 / 4);
  if (rounds < kQuickRounds) return;
  for (const OpDef* op : all_ops()) EXPECT_GT(ops[op->name], 0) << op->name << " never occurs";
  for (const std::string& pass : pipelines[0])
    EXPECT_GT(changed[pass], 0) << pass << " never has anything to do";
}

}  // namespace
}  // namespace lmc
