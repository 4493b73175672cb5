#include "runtime/serving/prefix_tree.h"

#include <gtest/gtest.h>

#include "toy_model.h"

namespace lmc {
namespace {

// Two layers: one sees all, one has a window of 100, so of two pages.
Plan plan_of_two() {
  Plan plan = test::ToyModel(500, 500, 16, 16).plan;
  plan.caches.push_back(test::ToyModel(100, 500, 16, 16).plan.caches[0]);
  return plan;
}

class PrefixTreeTest : public testing::Test {
 protected:
  PrefixTreeTest() { cache_.advance(4 * kCachePage); }

  using Ids = std::vector<int32_t>;

  Ids text(int32_t first, size_t pages) const {
    Ids out(pages * static_cast<size_t>(kCachePage), 1);
    out[0] = first;
    return out;
  }
  // All pages of a text, in order.
  void add(const Ids& tokens, bool beyond = false) {
    const auto page = static_cast<size_t>(kCachePage);
    for (size_t n = page; n <= tokens.size(); n += page) {
      if (tree_.wants(std::span(tokens).first(n), beyond))
        tree_.add(std::span(tokens).first(n), beyond, pages_.copy_of(cache_, 0));
    }
  }
  size_t find(const Ids& tokens, bool beyond = false) { return tree_.find(tokens, beyond).size(); }
  void drop(int64_t bytes) {
    const int64_t end = tree_.bytes() - bytes;
    while (tree_.bytes() > end) ASSERT_TRUE(tree_.drop());
  }

  Plan plan_ = plan_of_two();
  KvPages pages_{plan_};
  KvCache cache_{plan_};
  PrefixTree tree_{pages_};
};

TEST_F(PrefixTreeTest, FindsTheLongestBeginningInPages) {
  add(text(1, 3));
  add(text(2, 2));
  EXPECT_EQ(find(text(1, 5)), 3u);
  EXPECT_EQ(find(text(1, 2)), 2u);
  EXPECT_EQ(find(text(3, 2)), 0u);
  Ids other = text(1, 3);
  other[130] = 7;
  EXPECT_EQ(find(other), 2u);
  EXPECT_EQ(tree_.bytes(), 5 * pages_.page_bytes());
  add(other);
  EXPECT_EQ(find(other), 3u);
  EXPECT_EQ(tree_.bytes(), 6 * pages_.page_bytes()) << "what is alike is kept once";
  EXPECT_FALSE(tree_.wants(other, false));
  EXPECT_FALSE(tree_.wants(text(5, 2), false)) << "a page before it is missing";
}

TEST_F(PrefixTreeTest, OtherRopeFactorsAreAnotherText) {
  add(text(1, 2), true);
  EXPECT_EQ(find(text(1, 2)), 0u);
  EXPECT_EQ(find(text(1, 2), true), 2u);
}

TEST_F(PrefixTreeTest, WhatWasNotUsedForLongestGoesFirst) {
  add(text(1, 2));
  add(text(2, 2));
  EXPECT_EQ(find(text(1, 2)), 2u);
  drop(2 * pages_.page_bytes());
  EXPECT_EQ(find(text(2, 2)), 0u);
  EXPECT_EQ(find(text(1, 2)), 2u);
  while (tree_.drop()) {
  }
  EXPECT_EQ(tree_.bytes(), 0);
  EXPECT_EQ(find(text(1, 2)), 0u);
  add(text(1, 2));
  EXPECT_EQ(find(text(1, 2)), 2u);
}

// Behind a long text only its end's windows are needed: those before go first, and a text that parts from it
// there cannot use it until somebody has fed them again.
TEST_F(PrefixTreeTest, WindowsGoBeforeWhatEveryoneSees) {
  add(text(1, 6));
  EXPECT_EQ(find(text(1, 6)), 6u);
  drop(4 * pages_.windowed_bytes());
  EXPECT_EQ(tree_.bytes(), 6 * pages_.lasting_bytes() + 2 * pages_.windowed_bytes());
  EXPECT_EQ(find(text(1, 6)), 6u);
  EXPECT_EQ(find(text(1, 5)), 0u) << "of its last two pages one has no windows";
  add(text(1, 4));
  EXPECT_EQ(find(text(1, 5)), 5u);
  EXPECT_EQ(find(text(1, 4)), 4u);
}

TEST_F(PrefixTreeTest, PagesAreTakenOutAndGiven) {
  for (size_t i = 0; i < plan_.caches.size(); ++i) {
    for (int64_t p = 0; p < std::min<int64_t>(cache_pages(plan_.caches[i]), 4); ++p) {
      for (int64_t b = 0; b < CacheLayout(plan_.caches[i]).page_bytes; ++b)
        cache_.page(i, p)[b] = static_cast<std::byte>(b * 7 + b / 251 + p);
    }
  }
  KvCache other(plan_);
  other.advance(192);
  const auto expect = [&](size_t i, int64_t slot, bool there) {
    const PlanCache& c = plan_.caches[i];
    const int64_t page = slot / kCachePage, in_page = slot % kCachePage;
    for (const int64_t at :
         {key_place(c, in_page, 1).number, CacheLayout(c).v_offset + value_place(c, in_page, 1).number}) {
      ASSERT_EQ(other.page(i, page)[at], there ? cache_.page(i, page)[at] : std::byte{0})
          << "cache " << i << ", slot " << slot;
    }
  };
  const auto write = [&](int64_t page) {
    const KvPage copy = pages_.copy_of(cache_, page);
    other.share(page, copy.lasting);
    pages_.write_windows(copy, page, other, 192);
  };
  write(0);
  for (int64_t slot = 0; slot < 192; ++slot) expect(0, slot, slot < 64);
  for (int64_t slot = 0; slot < 128; ++slot) expect(1, slot, false);  // a token at 192 sees from 93 on
  write(1);
  for (int64_t slot = 0; slot < 192; ++slot) expect(0, slot, slot < 128);
  for (int64_t slot = 0; slot < 128; ++slot) expect(1, slot, slot >= 64);
  write(2);  // where page 0 was in the ring of 128
  for (int64_t slot = 0; slot < 192; ++slot) expect(0, slot, true);
  for (int64_t slot = 0; slot < 128; ++slot) expect(1, slot, true);
}

TEST(KvPages, AreCountedAsUsed) {
  const Plan plan = plan_of_two();
  const KvPages pages(plan);
  EXPECT_EQ(pages.bytes(0), 0);
  EXPECT_EQ(pages.bytes(1), pages.page_bytes());
  EXPECT_EQ(pages.bytes(65), 2 * pages.page_bytes());
  // The ring has 128 slots.
  EXPECT_EQ(pages.bytes(500), 8 * pages.lasting_bytes() + 2 * pages.windowed_bytes());
  EXPECT_EQ(pages.seen_pages(), 2);
  EXPECT_EQ(pages.longest(pages.bytes(500), 500), 500);
  EXPECT_EQ(pages.longest(pages.bytes(500) - 1, 500), 448);
  EXPECT_EQ(pages.longest(pages.page_bytes(), 500), 64);
  EXPECT_EQ(pages.longest(pages.page_bytes() - 1, 500), 0);
}

}  // namespace
}  // namespace lmc
