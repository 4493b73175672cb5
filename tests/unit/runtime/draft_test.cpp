#include "runtime/draft.h"

#include <gtest/gtest.h>

#include "runtime/generate.h"
#include "toy_model.h"

namespace lmc {
namespace {

using test::some_tokens;
using test::ToyModel;
using Ids = std::vector<int32_t>;

TEST(Draft, ContinuesTheLatestOfTheLongestMatches) {
  EXPECT_EQ(draft_by_lookup(Ids{1, 2, 3, 9, 2, 3, 7, 1, 2, 3}, 2), (Ids{9, 2})) << "three alike beat two";
  EXPECT_EQ(draft_by_lookup(Ids{2, 3, 8, 2, 3, 7, 5, 2, 3}, 1), (Ids{7})) << "the latest of equals";
  EXPECT_EQ(draft_by_lookup(Ids{5, 5, 5}, 9), (Ids{5})) << "never past the end";
  EXPECT_EQ(draft_by_lookup(Ids{1, 2, 3, 4, 1, 2}, 9), (Ids{3, 4, 1, 2}));
}

TEST(Draft, IsEmptyWhereNothingRepeats) {
  EXPECT_TRUE(draft_by_lookup(Ids{}, 4).empty());
  EXPECT_TRUE(draft_by_lookup(Ids{1}, 4).empty());
  EXPECT_TRUE(draft_by_lookup(Ids{1, 2, 3, 4}, 4).empty());
  EXPECT_TRUE(draft_by_lookup(Ids{1, 7, 2, 7}, 4).empty()) << "one token alike is not enough";
  EXPECT_TRUE(draft_by_lookup(Ids{1, 2, 3, 1, 2}, 0).empty());
}

// A prompt that repeats itself, so that guesses are made; the toy model's answers are hashes, so nearly all
// of them are wrong and every step rolls back.
Ids repeating(size_t n, size_t period) {
  Ids out;
  for (size_t i = 0; i < n; ++i) out.push_back(static_cast<int32_t>(i % period));
  return out;
}

TEST(Speculation, GivesTheSameTokensGreedyOrDrawnAndTheSameSequence) {
  const ToyModel model(10, 400, 16, 16);
  for (const double temperature : {0.0, 0.5, 3.0}) {
    for (const size_t period : {2u, 3u, 7u}) {
      GenerateOptions options{.max_tokens = 150, .sampler = {.temperature = temperature, .seed = 3}};
      // A bias towards few tokens makes repetitions, hence guesses, frequent.
      for (int32_t id = 0; id < 3; ++id) options.sampler.logit_bias[id] = 12;
      options.sampler.repetition_penalty = 1.05;
      auto plain = model.session();
      const Generated expected = generate(*plain, repeating(30, period), options);
      for (const int64_t draft : {1, 3, 8, 15, 100}) {
        options.draft = draft;
        auto session = model.session();
        const Generated got = generate(*session, repeating(30, period), options);
        EXPECT_EQ(got.ids, expected.ids) << draft << " guesses, temperature " << temperature;
        EXPECT_EQ(got.reason, expected.reason);
        EXPECT_EQ(session->tokens(), plain->tokens());
        EXPECT_GT(got.drafted, got.accepted) << "some guess must have been wrong";
        EXPECT_GT(got.accepted, 0) << "and some right";
      }
    }
  }
}

TEST(Speculation, EndsWhereTheContextTheStopIdOrTheCallbackSays) {
  const ToyModel model(10, 60, 16, 4);
  GenerateOptions options{.max_tokens = 100};
  for (int32_t id = 0; id < 2; ++id) options.sampler.logit_bias[id] = 100;
  auto plain = model.session();
  const Ids all = generate(*plain, repeating(20, 2), options).ids;
  options.draft = 8;
  auto session = model.session();
  const Generated full = generate(*session, repeating(20, 2), options);
  EXPECT_EQ(full.ids, all);
  EXPECT_EQ(full.reason, StopReason::context);
  for (size_t calls = 1; calls < all.size(); ++calls) {
    session->reset();
    size_t seen = 0;
    const Generated some =
        generate(*session, repeating(20, 2), options, [&](int32_t) { return ++seen < calls; });
    EXPECT_EQ(some.ids, Ids(all.begin(), all.begin() + static_cast<ptrdiff_t>(calls)));
    EXPECT_EQ(session->position(), 20 + static_cast<int64_t>(calls) - 1) << "nothing guessed is left behind";
  }
}

TEST(Rollback, ARingThatGoesBackComputesAsIfTheRestHadNeverBeenFed) {
  const ToyModel model(10, 400, 16, 16);
  auto session = model.session();
  Ids sequence;
  for (size_t round = 0; round < 60; ++round) {
    const Ids more = some_tokens(1 + round % 16);
    sequence.insert(sequence.end(), more.begin(), more.end());
    if (sequence.size() > 390) break;
    session->step(more);
    const size_t back = round * 7 % (more.size() + 1);
    if (back == sequence.size()) continue;
    sequence.resize(sequence.size() - back);
    ASSERT_TRUE(session->roll_back(static_cast<int64_t>(sequence.size())));
    sequence.push_back(static_cast<int32_t>(round % 50));
    const auto logits = session->step(std::span(sequence).last(1));
    ASSERT_EQ(std::vector<float>(logits.begin(), logits.end()), model.reference(sequence)) << round;
    EXPECT_EQ(session->tokens(), sequence);
  }
}

TEST(Rollback, IsRefusedWhereTheRingHasLostTheWindow) {
  const ToyModel model(10, 400, 16, 16);  // 26 slots: one step of 16 can go back by 17
  auto session = model.session();
  session->step(some_tokens(100));
  EXPECT_FALSE(session->roll_back(82));
  EXPECT_EQ(session->position(), 100);
  EXPECT_FALSE(session->roll_back(101));
  EXPECT_FALSE(session->roll_back(-1));
  EXPECT_TRUE(session->roll_back(83));
  EXPECT_FALSE(session->roll_back(82)) << "going back does not bring back what was overwritten";
}

TEST(Rollback, APromptKeepsWhatItBeginsWith) {
  const ToyModel model(10, 400, 16, 16);
  auto session = model.session();
  Ids prompt = some_tokens(20);
  session->step(prompt);
  prompt.resize(15);
  prompt.push_back(49);
  EXPECT_EQ(session->keep_prefix(prompt), 15);
  const auto logits = session->step(std::span(prompt).subspan(15));
  EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), model.reference(prompt));
  EXPECT_EQ(session->keep_prefix(prompt), 15) << "the last token is fed again for its logits";
  session->step(some_tokens(100));
  EXPECT_EQ(session->keep_prefix(prompt), 0) << "too far back for the ring: from the start";
  EXPECT_EQ(session->position(), 0);
  EXPECT_EQ(session->keep_prefix({}), 0);
}

TEST(Generate, ATimeLimitEndsIt) {
  const ToyModel model(10, 400, 16, 16);
  auto session = model.session();
  const Generated none = generate(*session, some_tokens(5), {.max_tokens = 300, .seconds = 1e-9});
  EXPECT_EQ(none.reason, StopReason::timeout);
  EXPECT_TRUE(none.ids.empty());
  session->reset();
  EXPECT_EQ(generate(*session, some_tokens(5), {.max_tokens = 3, .seconds = 1e6}).reason,
            StopReason::max_tokens);
  EXPECT_FALSE(session->stopped()) << "the limit ends with the generation";
}

}  // namespace
}  // namespace lmc
