// Answers of many at once are those of each alone.
#include "runtime/serving/batcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <map>

#include "running_batcher.h"
#include "runtime/draft.h"
#include "runtime/serving/kv_pages.h"

namespace lmc {
namespace {

using namespace test;

TEST(Batcher, HiddenStatesAreThoseOfEachTokenAloneWhateverElseIsMade) {
  const ToyModel model(100, 300, 32, 16);
  Running running(model,
                  {.slots = 3, .queue = 60, .kv_bytes = 1 << 16});  // little: some must leave their place
  std::vector<std::unique_ptr<Heard>> heard;
  std::vector<std::vector<float>> states(24);
  for (size_t i = 0; i < states.size(); ++i) {
    std::vector<int32_t> prompt = some_tokens(1 + i * 11);
    prompt[0] = static_cast<int32_t>(i);
    heard.push_back(std::make_unique<Heard>());
    AnswerRequest r = heard.back()->request(prompt, {.max_tokens = 30});
    if (i % 3 != 0) {
      r.on_hidden = [&into = states[i]](std::span<const float> s) {
        into.insert(into.end(), s.begin(), s.end());
      };
    }
    ASSERT_NE(running.batcher.submit(std::move(r)), 0u);
  }
  for (const auto& h : heard) h->wait_for_end();
  running.finish(milliseconds(0));
  for (size_t i = 0; i < states.size(); ++i) {
    EXPECT_EQ(heard[i]->error, "");
    EXPECT_EQ(heard[i]->generated.reason, StopReason::max_tokens);
    EXPECT_EQ(heard[i]->choices.size(), i % 3 == 0 ? 30u : 0u);
    if (i % 3 == 0) continue;
    std::vector<int32_t> prompt = some_tokens(1 + i * 11);
    prompt[0] = static_cast<int32_t>(i);
    std::vector<float> want;
    for (size_t n = 1; n <= prompt.size(); ++n) {
      const std::vector<float> row = model.reference(std::span(prompt).first(n));
      want.insert(want.end(), row.begin(), row.end());
    }
    EXPECT_EQ(states[i], want) << i;
  }
}

TEST(Batcher, EachGetsWhatItGetsAlone) {
  for (const int64_t span : {int64_t{10}, int64_t{100}, int64_t{500}}) {  // windows, one of two pages; none
    const ToyModel model(span, 500, 32, 16);
    const auto asks = some_asks(64, static_cast<uint64_t>(span), 400);
    const auto expected = all_alone(model, asks);
    const int64_t page = KvPages(model.plan).page_bytes();
    for (const int threads : {1, 2, 4}) {
      const BatcherStats s =
          ask_at_random(model, {.slots = 8, .kv_bytes = page * 100}, threads, asks, expected);
      EXPECT_GT(s.reused_tokens, 1000u);
    }
  }
}

// Memory for few: the youngest leaves and comes back.
TEST(Batcher, EachGetsWhatItGetsAloneWhereMemoryIsShort) {
  for (const int64_t span : {int64_t{100}, int64_t{500}}) {
    const ToyModel model(span, 500, 32, 16);
    const auto asks = some_asks(64, 5, 60, 300);
    const auto expected = all_alone(model, asks);
    const KvPages pages(model.plan);
    for (const double share : {0.0, 0.5, 1.0}) {
      const BatcherStats s = ask_at_random(
          model, {.slots = 8, .kv_bytes = pages.bytes(500) * 2, .prefill_share = share}, 2, asks, expected);
      EXPECT_LE(s.kept_bytes, s.most_bytes);
    }
    ask_at_random(model, {.slots = 8, .kv_bytes = pages.bytes(500)}, 1, asks, expected);
  }
}

// Five pages alike, and memory for three texts that have them for themselves: eight run at once.
TEST(Batcher, WhatTextsShareIsInMemoryOnce) {
  const ToyModel model(500, 500, 32, 16);
  const int64_t page = KvPages(model.plan).page_bytes();
  Running running(model, {.slots = 8, .kv_bytes = page * 21});
  std::vector<int32_t> prompt = some_tokens(5 * kCachePage + 2);
  Heard first;
  running.batcher.submit(first.request(prompt, {.max_tokens = 1}));
  first.wait_for_end();
  const uint64_t before = running.batcher.stats().steps;
  std::atomic<bool> all_there = false;
  std::vector<Heard> heard(8);
  for (size_t i = 0; i < heard.size(); ++i) {
    heard[i].on_token = [&] {
      all_there.wait(false);
      return true;
    };
    prompt.back() = static_cast<int32_t>(i);
    running.batcher.submit(heard[i].request(prompt, {.max_tokens = 40}));
  }
  all_there = true;
  all_there.notify_all();
  for (size_t i = 0; i < heard.size(); ++i) {
    heard[i].wait_for_end();
    prompt.back() = static_cast<int32_t>(i);
    EXPECT_EQ(heard[i].generated.ids, generate(*model.session(), prompt, {.max_tokens = 40}).ids);
    EXPECT_EQ(heard[i].reused, 5 * kCachePage);
  }
  const BatcherStats s = running.batcher.stats();
  EXPECT_EQ(s.preempted, 0U);
  EXPECT_LT(s.steps - before, 60U);
  EXPECT_LE(s.kept_bytes, s.most_bytes);
}

// Everything is asked twice, so that there is something to guess from, and a drafter that must guess is often
// wrong.
std::vector<Ask> twice(std::vector<Ask> asks) {
  const std::vector<Ask> again = asks;
  asks.insert(asks.end(), again.begin(), again.end());
  return asks;
}

TEST(Batcher, GuessesChangeNothing) {
  for (const int64_t span : {int64_t{10}, int64_t{100}, int64_t{500}}) {
    const ToyModel model(span, 500, 32, 16);
    const auto asks = twice(some_asks(64, static_cast<uint64_t>(span), 200));
    const auto expected = all_alone(model, asks);
    const KvPages pages(model.plan);
    for (const int threads : {1, 2, 4}) {
      for (const size_t least : {size_t{0}, size_t{2}}) {
        Drafter drafter(8, least);
        const BatcherStats s =
            ask_at_random(model, {.slots = 8, .kv_bytes = pages.page_bytes() * 100, .drafter = &drafter},
                          threads, asks, expected);
        EXPECT_GT(s.accepted_tokens, 100u);
        EXPECT_GT(s.drafted_tokens, s.accepted_tokens);
        EXPECT_GT(s.reused_tokens, 1000u);
      }
    }
    Drafter drafter(8, 2);
    const BatcherStats s = ask_at_random(
        model, {.slots = 8, .kv_bytes = pages.bytes(500), .prefill_share = 0, .drafter = &drafter}, 1, asks,
        expected);
    EXPECT_GT(s.accepted_tokens, 0u) << "where memory is short";
  }
}

TEST(Batcher, GuessesStayOnTheirSideOfTheBorder) {
  const ToyModel model(100, 500, 32, 16, 150);
  const auto asks = twice(some_asks(32, 3, 200));
  const auto expected = all_alone(model, asks);
  Drafter drafter(8, 4);
  const int64_t page = KvPages(model.plan).page_bytes();
  EXPECT_GT(ask_at_random(model, {.slots = 8, .kv_bytes = page * 64, .drafter = &drafter}, 2, asks, expected)
                .accepted_tokens,
            0u);
}

// Half of the steps are saved where the same is asked again, and memory for a guess is counted.
TEST(Batcher, WhatWasSaidBeforeIsGuessed) {
  const ToyModel model(100, 500, 32, 16);
  for (const int64_t pages : {3, 100}) {
    Drafter drafter(8, 8);
    Running running(model,
                    {.slots = 2, .kv_bytes = KvPages(model.plan).page_bytes() * pages, .drafter = &drafter});
    const auto steps = [&] {
      const uint64_t before = running.batcher.stats().steps;
      Heard heard;
      running.batcher.submit(heard.request(some_tokens(20), {.max_tokens = 100}));
      heard.wait_for_end();
      EXPECT_EQ(heard.generated.ids, generate(*model.session(), some_tokens(20), {.max_tokens = 100}).ids);
      const BatcherStats s = running.batcher.stats();
      EXPECT_LE(s.sequence_bytes + s.kept_bytes, s.most_bytes);
      return s.steps - before;
    };
    EXPECT_GT(steps(), 90U);
    EXPECT_LT(steps(), 40U);
  }
}

TEST(Batcher, EachCrossesTheBorderForItself) {
  for (const int64_t span : {int64_t{100}, int64_t{500}}) {
    const ToyModel model(span, 500, 32, 16, 150);
    const auto asks = some_asks(64, 3, 200);
    const auto expected = all_alone(model, asks);
    const int64_t page = KvPages(model.plan).page_bytes();
    EXPECT_GT(ask_at_random(model, {.slots = 8, .kv_bytes = page * 64}, 2, asks, expected).reused_tokens, 0u);
    ask_at_random(model, {.slots = 8, .kv_bytes = page * 9}, 1, asks, expected);
  }
}

TEST(Batcher, PromptsThatBeginAlikeAreFedOnceByPages) {
  for (const int64_t span : {int64_t{10}, int64_t{100}, int64_t{500}}) {
    const ToyModel model(span, 500, 32, 16);
    Running running(model, {.slots = 4, .kv_bytes = 1 << 24});
    const auto reused = [&](const std::vector<int32_t>& prompt) {
      Heard heard;
      running.batcher.submit(heard.request(prompt, {.max_tokens = 3}));
      heard.wait_for_end();
      EXPECT_EQ(heard.generated.ids, generate(*model.session(), prompt, {.max_tokens = 3}).ids);
      return heard.reused;
    };
    std::vector<int32_t> prompt = some_tokens(200);
    EXPECT_EQ(reused(prompt), 0);
    EXPECT_EQ(reused(prompt), 192);
    EXPECT_EQ(reused(some_tokens(192)), 128) << "the last token's logits are wanted";
    EXPECT_EQ(reused(some_tokens(64)), 0);
    prompt[130] = 49 - prompt[130];
    EXPECT_EQ(reused(prompt), 128);
    EXPECT_EQ(reused(prompt), 192);
    prompt[0] = 49 - prompt[0];
    EXPECT_EQ(reused(prompt), 0);
    EXPECT_EQ(running.batcher.stats().reused_tokens, 192u + 128 + 128 + 192);
  }
}

// A chat: what was answered is part of the next prompt.
TEST(Batcher, AnAnswerIsReusedToo) {
  const ToyModel model(100, 500, 32, 16);
  Running running(model, {.slots = 2, .kv_bytes = 1 << 24});
  Heard first, second;
  running.batcher.submit(first.request(some_tokens(100), {.max_tokens = 100}));
  first.wait_for_end();
  std::vector<int32_t> prompt = some_tokens(100);
  prompt.insert(prompt.end(), first.generated.ids.begin(), first.generated.ids.end());
  prompt.push_back(1);
  running.batcher.submit(second.request(prompt, {.max_tokens = 1}));
  second.wait_for_end();
  EXPECT_EQ(second.reused, 192);
}

}  // namespace
}  // namespace lmc
