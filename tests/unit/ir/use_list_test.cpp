#include "ir/use_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace lmc {
namespace {

TEST(UseList, keeps_the_order_whatever_is_removed_and_added) {
  std::mt19937 random(1);
  UseList list;
  std::vector<Use> expected;
  for (uint32_t n = 0; n < 5000; ++n) {
    if (expected.empty() || random() % 5 < 3) {
      const Use u{OpId{n}, static_cast<uint32_t>(random() % 2)};
      list.push_back(u);
      expected.push_back(u);
    } else {
      const auto at = expected.begin() + static_cast<int64_t>(random() % expected.size());
      list.remove(*at);
      expected.erase(at);
    }
    ASSERT_TRUE(std::equal(list.begin(), list.end(), expected.begin(), expected.end())) << n;
    ASSERT_EQ(list.size(), expected.size());
  }
}

}  // namespace
}  // namespace lmc
