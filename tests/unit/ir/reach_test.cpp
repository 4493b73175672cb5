// Questions about order, asked in blocks of 512, against an answer for every pair.
#include "ir/reach.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "ir/graph_algorithms.h"

namespace lmc {
namespace {

constexpr size_t kNodes = 1300;  // three blocks, the last one not full

// Most edges are short, as in a model; some come from far away.
Predecessors random_dag(unsigned seed) {
  std::mt19937 random(seed);
  Predecessors out(kNodes);
  for (size_t j = 1; j < kNodes; ++j) {
    for (size_t n = random() % 4; n > 0; --n) {
      const size_t span = random() % 8 == 0 ? j : std::min<size_t>(j, 20);
      out[j].push_back(static_cast<int>(j - 1 - random() % span));
    }
  }
  return out;
}

std::vector<std::vector<bool>> all_pairs(const Predecessors& before) {
  std::vector<std::vector<bool>> out(before.size(), std::vector<bool>(before.size(), false));
  for (size_t j = 0; j < before.size(); ++j) {
    for (const int i : before[j]) {
      const auto from = static_cast<size_t>(i);
      out[j][from] = true;
      for (size_t k = 0; k < from; ++k) out[j][k] = out[j][k] || out[from][k];
    }
  }
  return out;
}

TEST(Reach, blocks_say_what_a_table_of_all_pairs_says) {
  const Predecessors before = random_dag(1);
  const auto expected = all_pairs(before);
  std::vector<int> nodes(kNodes);
  std::iota(nodes.begin(), nodes.end(), 0);
  for_reached(before, nodes, [&](size_t first, const std::vector<ReachRow>& rows) {
    for (size_t j = 0; j < kNodes; ++j) {
      for (size_t i = first; i < std::min(first + kReachBlock, kNodes); ++i)
        ASSERT_EQ(rows[j][i - first], expected[j][i]) << i << " → " << j;
    }
  });
}

TEST(Reach, a_node_may_be_asked_for_twice_and_is_not_before_itself) {
  const std::vector<ReachRow> rows = reached_from({{}, {0}, {1}}, std::vector<int>{1, 0, 1});
  EXPECT_EQ(rows[0].to_ulong(), 0u);
  EXPECT_EQ(rows[1].to_ulong(), 2u);
  EXPECT_EQ(rows[2].to_ulong(), 7u);
}

TEST(Reach, a_reduction_keeps_what_is_reached_with_no_edge_too_many) {
  const Predecessors before = random_dag(2);
  const auto expected = all_pairs(before);
  Successors dag(kNodes);
  for (size_t j = 0; j < kNodes; ++j) {
    for (const int i : before[j]) dag[static_cast<size_t>(i)].push_back(static_cast<int>(j));
  }
  Predecessors kept(kNodes);
  const Successors reduced = transitive_reduction(dag);
  for (size_t i = 0; i < kNodes; ++i) {
    for (const int j : reduced[i]) kept[static_cast<size_t>(j)].push_back(static_cast<int>(i));
  }
  EXPECT_EQ(all_pairs(kept), expected);
  for (size_t j = 0; j < kNodes; ++j) {
    for (const int a : kept[j]) {
      for (const int b : kept[j])
        EXPECT_FALSE(expected[static_cast<size_t>(b)][static_cast<size_t>(a)])
            << a << " → " << b << " → " << j;
    }
  }
}

}  // namespace
}  // namespace lmc
