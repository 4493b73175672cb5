#include "runtime/repeat_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "dag.h"

namespace lmc {
namespace {

using test::mix;
using Ids = std::vector<int32_t>;

// Looked for everywhere: the longest ending of `text` that ends earlier, too, and its latest such end.
RepeatIndex::Match searched(std::span<const int32_t> text) {
  RepeatIndex::Match best;
  for (size_t end = 1; end < text.size(); ++end) {
    size_t alike = 0;
    while (alike < end && text[end - 1 - alike] == text[text.size() - 1 - alike]) ++alike;
    if (alike > 0 && alike >= best.length) best = {alike, end};
  }
  return best;
}

Ids random_text(size_t length, uint64_t seed, uint64_t ids) {
  Ids out;
  while (out.size() < length) {
    const uint64_t r = mix(seed, out.size());
    if (r % 7 == 0 && !out.empty()) {  // something from before, again
      const size_t from = r / 7 % out.size();
      const size_t count = std::min<size_t>(1 + r / 1000 % 20, out.size() - from);
      for (size_t i = 0; i < count; ++i) out.push_back(out[from + i]);
    } else {
      out.push_back(static_cast<int32_t>(r / 8 % ids));
    }
  }
  return out;
}

TEST(RepeatIndex, FindsTheLongestEndingAsASearchDoes) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Ids text = random_text(200, seed, 1 + seed % 9 * seed % 50);
    RepeatIndex index;
    for (size_t n = 1; n <= text.size(); ++n) {
      index.append(text[n - 1]);
      const auto so_far = std::span(text).first(n);
      const RepeatIndex::Match found = index.match(), expected = searched(so_far);
      ASSERT_EQ(found.length, expected.length) << "seed " << seed << ", " << n << " tokens";
      if (found.length == 0) continue;
      ASSERT_LT(found.next, n);
      ASSERT_LE(found.length, found.next);
      for (size_t i = 0; i < found.length; ++i)
        ASSERT_EQ(text[found.next - found.length + i], text[n - found.length + i]) << "seed " << seed;
      if (seed % 9 > 2) {  // of two tokens or more: of one the endings are as many as tokens
        ASSERT_EQ(found.next, expected.next) << "seed " << seed << ", " << n << " tokens";
      }
    }
  }
}

TEST(RepeatIndex, FindsNothingAcrossTexts) {
  RepeatIndex index;
  for (const int32_t token : {1, 2, 3}) index.append(token);
  index.separate();
  EXPECT_EQ(index.match().length, 0U);
  index.separate();
  for (const int32_t token : {3, 1, 2}) index.append(token);
  EXPECT_EQ(index.match().length, 2U);
  EXPECT_EQ(index.at(index.match().next), 3);
  EXPECT_LT(index.at(3), 0);
}

// What is left is searched as if the rest had never been.
TEST(RepeatIndex, ForgetsTheOlderHalfWhenFull) {
  const Ids text = random_text(500, 3, 5);
  RepeatIndex index(64);
  Ids kept;
  for (const int32_t token : text) {
    if (kept.size() == 64) kept.erase(kept.begin(), kept.begin() + 32);
    kept.push_back(token);
    index.append(token);
    ASSERT_EQ(index.size(), kept.size());
    ASSERT_EQ(index.match().length, searched(kept).length);
  }
}

TEST(RepeatIndex, TakesATextOfOneTokenOverAndOver) {
  RepeatIndex index;
  for (int i = 0; i < 300000; ++i) index.append(7);
  EXPECT_EQ(index.match().length, index.size() - 1);
  EXPECT_EQ(index.match().next, index.size() - 1);
  EXPECT_LE(index.size(), RepeatIndex::kMostTokens);
}

}  // namespace
}  // namespace lmc
