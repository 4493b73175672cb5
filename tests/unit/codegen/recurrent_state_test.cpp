// What becomes of a recurrent state when a sequence goes back, is stored and resumed, shares pages with
// others or is guessed at: always the bits of a sequence that was fed from its first token.
#include <gtest/gtest.h>

#include <cstring>

#include "compiled_model.h"
#include "golden_folder.h"
#include "ir/cache_layout.h"
#include "ir/error.h"
#include "runtime/draft.h"
#include "runtime/generate.h"
#include "runtime/serving/kv_pages.h"

namespace lmc::recurrent_state_test {
namespace {

using Logits = std::vector<float>;

Logits copy(std::span<const float> x) { return {x.begin(), x.end()}; }

class RecurrentState : public testing::TestWithParam<std::string> {
 protected:
  Model model_ = load_model(golden_folder() + "/" + GetParam(), {});
  const Compiled c_ = compile(model_, "q8_0", 32);

  std::vector<int32_t> text(size_t tokens, int32_t seed = 0) const {
    std::vector<int32_t> out;
    for (size_t i = 0; i < tokens; ++i)
      out.push_back(static_cast<int32_t>((i * i * 31 + 7 * i + static_cast<size_t>(seed)) % 290));
    return out;
  }
  Logits fresh(const std::vector<int32_t>& ids) const { return copy(c_.session()->step(ids)); }
};

TEST_P(RecurrentState, some_tokens_may_be_taken_back_and_no_more) {
  const int64_t most = most_taken_back(c_.code.plan);
  EXPECT_EQ(most, kStatesKept - 1);
  const std::vector<int32_t> ids = text(41);
  for (const int64_t block : {1, 5, 16}) {
    for (int64_t back = 0; back <= most + 1; ++back) {
      const auto s = c_.session({.threads = 2, .block = block});
      s->step(ids);
      const auto kept = static_cast<size_t>(41 - back);
      ASSERT_EQ(s->roll_back(41 - back), back <= most) << back << " tokens, blocks of " << block;
      if (back > most) continue;
      std::vector<int32_t> other(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(kept));
      const std::vector<int32_t> more = text(9, 5);
      other.insert(other.end(), more.begin(), more.end());
      EXPECT_EQ(copy(s->step(more)), fresh(other)) << back << " tokens, blocks of " << block;
    }
  }
}

// Again and again, as guesses are: none of them may use up what the next one needs.
TEST_P(RecurrentState, it_may_go_back_after_every_step) {
  const auto s = c_.session();
  const std::vector<int32_t> ids = text(60), wrong = text(7, 3);
  const Logits want = fresh(ids);
  Logits got;
  for (size_t i = 0; i < ids.size(); ++i) {
    got = copy(s->step(std::span(ids).subspan(i, 1)));
    s->step(std::span(wrong).first(1 + i % 7));
    ASSERT_TRUE(s->roll_back(static_cast<int64_t>(i) + 1));
  }
  EXPECT_EQ(got, want);
}

// From the first token on, whatever lies in the ring.
TEST_P(RecurrentState, a_sequence_that_goes_back_to_its_beginning_begins_with_nothing) {
  const auto s = c_.session();
  s->step(text(8, 1));
  ASSERT_TRUE(s->roll_back(0));
  EXPECT_EQ(copy(s->step(text(20))), fresh(text(20)));
}

TEST_P(RecurrentState, a_prompt_that_parts_too_early_is_fed_again) {
  const auto s = c_.session();
  s->step(text(40));
  std::vector<int32_t> other = text(40);
  other[20] = 7;
  EXPECT_EQ(s->keep_prefix(other), 0);
  EXPECT_EQ(copy(s->step(other)), fresh(other));
  std::vector<int32_t> longer = other;
  longer.push_back(9);
  EXPECT_EQ(s->keep_prefix(longer), 40);
  EXPECT_EQ(copy(s->step(std::span(longer).subspan(40))), fresh(longer));
}

TEST_P(RecurrentState, what_was_stored_goes_on_elsewhere) {
  for (const size_t length : {1, 7, 8, 9, 30}) {
    for (const int64_t back : {0, 1}) {
      const auto from = c_.session();
      from->step(text(length + static_cast<size_t>(back)));
      ASSERT_TRUE(from->roll_back(static_cast<int64_t>(length)));
      std::vector<std::byte> bytes;
      for (const auto piece : from->stored()) bytes.insert(bytes.end(), piece.begin(), piece.end());
      const auto to = c_.session();
      to->step(text(23, 2));  // something else lies there
      size_t at = 0;
      to->resume(text(length), [&](std::span<std::byte> piece) {
        std::memcpy(piece.data(), bytes.data() + at, piece.size());
        at += piece.size();
      });
      EXPECT_EQ(at, bytes.size());
      std::vector<int32_t> whole = text(length);
      const std::vector<int32_t> more = text(6, 4);
      whole.insert(whole.end(), more.begin(), more.end());
      EXPECT_EQ(copy(to->step(more)), fresh(whole)) << length << " tokens";
    }
  }
}

TEST_P(RecurrentState, guesses_change_no_token) {
  const std::vector<int32_t> prompt = {5, 9, 5, 9, 5, 9, 5, 9, 5};  // of which much can be guessed
  GenerateOptions options;
  options.max_tokens = 60;
  const Generated want = generate(*c_.session(), prompt, options);
  Drafter drafter(15, 15);
  options.drafter = &drafter;
  const Generated got = generate(*c_.session(), prompt, options);
  EXPECT_EQ(got.ids, want.ids);
  EXPECT_GT(got.drafted, got.accepted);
}

// A page can be gone on from only where a step ended right behind it.
TEST_P(RecurrentState, a_page_has_the_state_behind_it_or_none) {
  const KvPages pages(c_.code.plan);
  ASSERT_TRUE(pages.wants_borders());
  const std::vector<int32_t> ids = text(2 * kCachePage + 20);
  const auto fed = [&](const std::vector<size_t>& steps) {
    auto s = std::make_unique<Sequence>(c_.code.plan);
    const auto session = c_.session({.block = 16});
    size_t at = 0;
    for (const size_t n : steps) {
      std::vector<StepRow> rows;
      for (size_t i = 0; i < n; ++i) rows.push_back({s.get(), ids[at + i], i + 1 == n});
      session->step_rows(rows);
      at += n;
    }
    return s;
  };
  const auto has_state = [&](const std::vector<size_t>& steps) {
    return pages.copy_of(fed(steps)->cache, 0).windowed != nullptr;
  };
  EXPECT_TRUE(has_state({16, 16, 16, 16}));
  EXPECT_TRUE(has_state({16, 16, 16, 16, 7}));
  EXPECT_FALSE(has_state({16, 16, 16, 16, 8}));
  EXPECT_FALSE(has_state({16, 16, 16, 10, 16}));
  const auto from = fed({16, 16, 16, 16});
  Sequence to(c_.code.plan);
  to.cache.advance(kCachePage);
  to.tokens.assign(ids.begin(), ids.begin() + kCachePage);
  const KvPage page = pages.copy_of(from->cache, 0);
  to.cache.share(0, page.lasting);
  pages.write_windows(page, 0, to.cache, kCachePage);
  const auto session = c_.session();
  const StepRow next{&to, ids[kCachePage], true};
  const std::vector<int32_t> whole(ids.begin(), ids.begin() + kCachePage + 1);
  EXPECT_EQ(copy(*session->step_rows({&next, 1})), fresh(whole));
}

INSTANTIATE_TEST_SUITE_P(Golden, RecurrentState, testing::Values("granite4h-a", "granite4h-b"),
                         golden_test_name);

}  // namespace
}  // namespace lmc::recurrent_state_test
