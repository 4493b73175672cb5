// Pages of a sequence's caches that lie in another's memory.
#include "runtime/kv_cache.h"

#include <gtest/gtest.h>

#include "runtime/serving/kv_pages.h"
#include "toy_model.h"

namespace lmc {
namespace {

using test::ToyModel;

class SharedPages : public testing::Test {
 protected:
  static constexpr int64_t kTokens = 3 * kCachePage;

  // Feeds tokens to a sequence; the logits behind the last.
  std::vector<float> feed(Sequence& sequence, std::span<const int32_t> tokens) {
    std::vector<float> out;
    for (const int32_t t : tokens) {
      const StepRow row{&sequence, t, true, 0};
      out = test::copy(*session_->step_rows({&row, 1}));
    }
    return out;
  }
  // One that goes on behind all pages of `from`.
  std::unique_ptr<Sequence> sharer(const Sequence& from) {
    const KvPages pages(model_.plan);
    auto out = std::make_unique<Sequence>(model_.plan);
    out->tokens = from.tokens;
    out->cache.advance(kTokens);
    for (int64_t p = 0; p < kTokens / kCachePage; ++p) {
      if (!kept_[p]) kept_[p] = pages.copy_of(from.cache, p).lasting;
      out->cache.share(p, kept_[p]);
    }
    return out;
  }

  const ToyModel model_{500, 500, 32, 16};  // no window
  const std::unique_ptr<Session> session_ = model_.session();
  const std::vector<int32_t> prompt_ = test::some_tokens(kTokens);
  std::shared_ptr<std::byte[]> kept_[kTokens / kCachePage];
};

TEST_F(SharedPages, AreReadWhereTheyLieAndAreNobodysToWrite) {
  Sequence first(model_.plan);
  feed(first, prompt_);
  const auto a = sharer(first), b = sharer(first);
  EXPECT_EQ(a->cache.page(0, 1), b->cache.page(0, 1));
  EXPECT_NE(a->cache.page(0, 1), first.cache.page(0, 1));
  EXPECT_EQ(a->cache.shared_pages(), 3);

  std::vector<int32_t> text = prompt_;
  text.push_back(5);
  EXPECT_EQ(feed(*a, std::vector<int32_t>{5}), model_.reference(text));
  EXPECT_EQ(a->cache.shared_pages(), 3) << "what is new has a page of its own";

  // Back into the second page, and on with other tokens.
  ASSERT_TRUE(a->roll_back(kCachePage + 10));
  text.resize(kCachePage + 10);
  text.insert(text.end(), {7, 8, 9});
  EXPECT_EQ(feed(*a, std::vector<int32_t>{7, 8, 9}), model_.reference(text));
  EXPECT_EQ(a->cache.shared_pages(), 2);
  EXPECT_NE(a->cache.page(0, 1), b->cache.page(0, 1));

  text = prompt_;
  text.push_back(11);
  EXPECT_EQ(feed(*b, std::vector<int32_t>{11}), model_.reference(text)) << "the other one sees nothing of it";
}

TEST_F(SharedPages, AreLetGo) {
  Sequence first(model_.plan);
  feed(first, prompt_);
  const auto a = sharer(first);
  EXPECT_EQ(kept_[0].use_count(), 2);
  a->reset();
  EXPECT_EQ(kept_[0].use_count(), 1);
  EXPECT_EQ(a->cache.shared_pages(), 0);
  EXPECT_EQ(feed(*a, std::span(prompt_).first(70)), model_.reference(std::span(prompt_).first(70)));
  // A sequence may give its own away, and is then one of those that share it.
  first.cache.share(0, kept_[0]);
  first.cache.share(0, kept_[0]);
  EXPECT_EQ(first.cache.shared_pages(), 1);
  std::vector<int32_t> text = prompt_;
  text.push_back(3);
  EXPECT_EQ(feed(first, std::vector<int32_t>{3}), model_.reference(text));
}

TEST_F(SharedPages, AreStoredLikeOthers) {
  Sequence first(model_.plan);
  feed(first, prompt_);
  const auto a = sharer(first);
  const auto mine = a->cache.filled(), own = first.cache.filled();
  ASSERT_EQ(mine.size(), own.size());
  for (size_t i = 0; i < mine.size(); ++i)
    EXPECT_TRUE(std::equal(mine[i].begin(), mine[i].end(), own[i].begin(), own[i].end()));
}

}  // namespace
}  // namespace lmc
