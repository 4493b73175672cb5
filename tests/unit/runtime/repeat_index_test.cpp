#include "runtime/repeat_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "dag.h"

namespace lmc {
namespace {

using test::mix;
using Ids = std::vector<int32_t>;

// Looked for everywhere in `other`: the longest ending of `text` that is followed there, and its latest such
// end.
RepeatIndex::Match searched(std::span<const int32_t> text, std::span<const int32_t> other) {
  RepeatIndex::Match best;
  for (size_t end = 1; end < other.size(); ++end) {
    size_t alike = 0;
    while (alike < std::min(end, text.size()) && other[end - 1 - alike] == text[text.size() - 1 - alike])
      ++alike;
    if (alike > 0 && alike >= best.length) best = {alike, 0, end};
  }
  return best;
}
RepeatIndex::Match searched(std::span<const int32_t> text) { return searched(text, text); }

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
    const RepeatIndex::TextId id = index.begin();
    for (size_t n = 1; n <= text.size(); ++n) {
      index.append(id, text[n - 1]);
      const auto so_far = std::span(text).first(n);
      const RepeatIndex::Match found = index.match(id), expected = searched(so_far);
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

// Texts that take turns, some of which end: each finds the longest ending that any of them followed before.
TEST(RepeatIndex, FindsEndingsInTextsThatGrowSideBySide) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    RepeatIndex index;
    std::vector<Ids> texts;
    std::vector<RepeatIndex::TextId> ids;
    for (size_t i = 0; i < 5; ++i) {
      texts.emplace_back();
      ids.push_back(index.begin());
    }
    // From the first text on they differ, so that all are held.
    for (size_t i = 0; i < 5; ++i) {
      texts[i].push_back(1000 + static_cast<int32_t>(i));
      index.append(ids[i], texts[i].back());
    }
    for (size_t n = 0; n < 300; ++n) {
      const uint64_t r = mix(seed, n);
      const size_t i = r % 5;
      const RepeatIndex::Match before = index.match(ids[i]);
      const bool again = r % 3 == 0 && before.length > 0;
      texts[i].push_back(again ? index.behind(before)[0] : static_cast<int32_t>(r / 100 % (2 + seed % 20)));
      index.append(ids[i], texts[i].back());
      size_t expected = 0;
      for (const Ids& other : texts) expected = std::max(expected, searched(texts[i], other).length);
      const RepeatIndex::Match found = index.match(ids[i]);
      ASSERT_EQ(found.length, expected) << "seed " << seed << ", token " << n;
      if (found.length == 0) continue;
      const auto at = std::find(ids.begin(), ids.end(), found.text) - ids.begin();
      const Ids& other = texts[static_cast<size_t>(at)];
      ASSERT_TRUE(std::equal(texts[i].end() - static_cast<ptrdiff_t>(found.length), texts[i].end(),
                             other.begin() + static_cast<ptrdiff_t>(found.next - found.length)));
      const auto behind = index.behind(found);
      ASSERT_TRUE(std::equal(behind.begin(), behind.end(), other.begin() + static_cast<ptrdiff_t>(found.next),
                             other.end()));
    }
  }
}

TEST(RepeatIndex, FindsNothingAcrossTexts) {
  RepeatIndex index;
  const auto text = [&](const Ids& tokens) {
    const RepeatIndex::TextId id = index.begin();
    for (const int32_t token : tokens) index.append(id, token);
    return id;
  };
  index.end(text({1, 2, 3}));
  const RepeatIndex::TextId id = text({3, 1, 2});
  EXPECT_EQ(index.match(id).length, 2U);
  EXPECT_EQ(Ids(index.behind(index.match(id)).begin(), index.behind(index.match(id)).end()), Ids({3}));
  EXPECT_EQ(index.match(text({3})).length, 1U) << "followed by 1 in the second";
}

// A hundred requests begin with the same thousand tokens: these are held once.
TEST(RepeatIndex, HoldsABeginningOnce) {
  const Ids prompt = random_text(1000, 8, 100);
  RepeatIndex index;
  for (int32_t i = 0; i < 100; ++i) {
    const RepeatIndex::TextId id = index.begin();
    for (const int32_t token : prompt) index.append(id, token);
    if (i > 0) {
      EXPECT_EQ(index.match(id).length, prompt.size());
      EXPECT_EQ(index.behind(index.match(id))[0], 1000) << "nobody who followed was held but the first";
    }
    index.append(id, i == 0 ? 1000 : 1000 + i);
    index.append(id, 5000);
    index.end(id);
  }
  EXPECT_LE(index.size(), 1002U + 99 * (RepeatIndex::kOverlap + 2));
}

// While one walks along what is held, another splits what it is walking on, and all that is forgotten.
TEST(RepeatIndex, ABeginningSurvivesWhatHappensBesideIt) {
  const Ids text = random_text(300, 11, 4);
  for (const size_t most : {size_t{100}, size_t{1} << 12}) {
    RepeatIndex index(most);
    const RepeatIndex::TextId first = index.begin();
    for (const int32_t token : text) index.append(first, token);
    std::vector<RepeatIndex::TextId> walking;
    for (size_t i = 0; i < 10; ++i) walking.push_back(index.begin());
    const RepeatIndex::TextId beside = index.begin();
    for (size_t n = 0; n < text.size(); ++n) {
      for (size_t i = 0; i < walking.size(); ++i) {
        if (n < i * 30) index.append(walking[i], text[n]);
      }
      index.append(beside, static_cast<int32_t>(mix(3, n) % 4));
      for (const RepeatIndex::TextId id : walking) {
        const RepeatIndex::Match match = index.match(id);
        if (match.length > 0) {
          ASSERT_FALSE(index.behind(match).empty());
        }
      }
      ASSERT_LE(index.size(), most);
    }
    if (most < 1000) continue;
    for (size_t i = 1; i < walking.size(); ++i) EXPECT_EQ(index.match(walking[i]).length, i * 30);
  }
}

// What is left is searched as if the rest had never been.
TEST(RepeatIndex, ForgetsTheOlderHalfWhenFull) {
  const Ids text = random_text(500, 3, 5);
  RepeatIndex index(64);
  const RepeatIndex::TextId id = index.begin();
  Ids kept;
  for (const int32_t token : text) {
    if (kept.size() == 64) kept.erase(kept.begin(), kept.begin() + 32);
    kept.push_back(token);
    index.append(id, token);
    ASSERT_EQ(index.size(), kept.size());
    ASSERT_EQ(index.match(id).length, searched(kept).length);
  }
}

TEST(RepeatIndex, ForgetsTextsThatHaveEndedFirst) {
  RepeatIndex index(64);
  const RepeatIndex::TextId grows = index.begin();
  for (const int32_t token : {1, 2, 3, 4}) index.append(grows, token);
  for (int32_t i = 0; i < 20; ++i) {
    const RepeatIndex::TextId ends = index.begin();
    for (int32_t j = 0; j < 10; ++j) index.append(ends, 100 + 10 * i + j);
    index.end(ends);
  }
  index.append(grows, 2);
  EXPECT_EQ(index.behind(index.match(grows))[0], 3);
}

TEST(RepeatIndex, TakesATextOfOneTokenOverAndOver) {
  RepeatIndex index;
  const RepeatIndex::TextId id = index.begin();
  for (int i = 0; i < 300000; ++i) index.append(id, 7);
  EXPECT_EQ(index.match(id).length, index.size() - 1);
  EXPECT_EQ(index.match(id).next, index.size() - 1);
  EXPECT_LE(index.size(), RepeatIndex::kMostTokens);
}

}  // namespace
}  // namespace lmc
