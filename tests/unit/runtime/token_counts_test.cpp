#include "runtime/token_counts.h"

#include <gtest/gtest.h>

#include <map>

#include "runtime/random.h"

namespace lmc {
namespace {

TEST(TokenCounts, AreThoseOfEachSequenceAlone) {
  Random random(3);
  TokenCounts counts;
  for (int i = 0; i < 200; ++i) {
    const double kinds = 1 + random.uniform() * 300, length = random.uniform() * 500;
    std::vector<int32_t> tokens, first;
    std::map<int32_t, int64_t> expected;
    while (static_cast<double>(tokens.size()) < length) {
      tokens.push_back(static_cast<int32_t>(random.uniform() * kinds));
      if (++expected[tokens.back()] == 1) first.push_back(tokens.back());
    }
    std::map<int32_t, int64_t> found;
    std::vector<int32_t> order;
    for (const auto& [id, count] : counts.of(tokens)) {
      found[id] = count;
      order.push_back(id);
    }
    ASSERT_EQ(found, expected);
    ASSERT_EQ(order, first);
  }
}

}  // namespace
}  // namespace lmc
