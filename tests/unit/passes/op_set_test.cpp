// The local convexity check against the one that walks everything.
#include "passes/pattern/op_set.h"

#include <gtest/gtest.h>

#include <random>

#include "ir/graph_algorithms.h"
#include "ir/text.h"

namespace lmc {
namespace {

TEST(OpSet, local_convexity_agrees_with_the_walk_over_the_whole_graph) {
  std::mt19937 random(7);
  int convex = 0;
  int other = 0;
  for (int round = 0; round < 3000; ++round) {
    Graph g;
    std::vector<ValueId> values{g.add_input("x", {DType::f32, {kDimT, 4}}),
                                g.add_weight("w", {DType::f32, {4}})};
    for (int i = 0; i < 9; ++i) {
      // Mostly recent values, so that paths are long enough to leave a set and come back.
      const auto pick = [&] {
        return values[values.size() - 1 - random() % std::min<size_t>(values.size(), 4)];
      };
      ValueId a = pick();
      if (g.value(a).kind == ValueKind::weight) a = values[0];
      values.push_back(g.result(g.add_op("add", {a, pick()})));
    }
    std::vector<OpId> ops;
    for (OpId id : g.ops()) {
      if (random() % 3 == 0) ops.push_back(id);
    }
    const bool expected = is_convex(g, ops);
    (expected ? convex : other)++;
    ASSERT_EQ(is_convex_locally(g, ops), expected) << print_graph(g);
  }
  EXPECT_GT(convex, 300);
  EXPECT_GT(other, 300);
}

}  // namespace
}  // namespace lmc
