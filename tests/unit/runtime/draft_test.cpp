#include "runtime/draft.h"

#include <gtest/gtest.h>

#include "runtime/generate.h"
#include "toy_model.h"

namespace lmc {
namespace {

using test::some_tokens;
using test::ToyModel;
using Ids = std::vector<int32_t>;

void read(DraftText& text, const Ids& tokens) {
  for (const int32_t token : tokens) text.read(token);
}

// Of a text alone, in a step that it has for itself.
Ids guess(const Drafter& drafter, const DraftText& text, size_t room) {
  const Drafter::Asker asker{&text, room};
  return drafter.guess({&asker, 1}, 1, room)[0];
}

// Of a request that goes no further.
Ids guess_behind(Drafter& drafter, const Ids& prompt, size_t room) {
  DraftText text(drafter);
  read(text, prompt);
  return guess(drafter, text, room);
}

Ids guess_after(const Ids& sequence, size_t most, size_t room = 100) {
  Drafter drafter(most, most);
  return guess_behind(drafter, sequence, room);
}

TEST(Draft, ContinuesTheLatestOfTheLongestMatches) {
  EXPECT_EQ(guess_after({1, 2, 3, 9, 2, 3, 7, 1, 2, 3}, 2), (Ids{9, 2})) << "three alike beat two";
  EXPECT_EQ(guess_after({2, 3, 8, 2, 3, 7, 5, 2, 3}, 1), (Ids{7})) << "the latest of equals";
  EXPECT_EQ(guess_after({1, 2, 3, 4, 1, 2}, 4), (Ids{3, 4, 1, 2}));
  EXPECT_EQ(guess_after({1, 2, 3, 4, 1, 2}, 4, 3), (Ids{3, 4, 1})) << "as many as there is room for";
}

TEST(Draft, GoesOnWithinTheGuessWhereATextRepeatsItselfAtOnce) {
  EXPECT_EQ(guess_after({5, 5, 5}, 4), (Ids{5, 5, 5, 5}));
  EXPECT_EQ(guess_after({8, 1, 2, 3, 1, 2, 3, 1}, 7), (Ids{2, 3, 1, 2, 3, 1, 2}));
}

TEST(Draft, IsEmptyWhereNothingRepeats) {
  for (const Ids& text : {Ids{}, Ids{1}, Ids{1, 2, 3, 4}}) EXPECT_TRUE(guess_after(text, 4).empty());
  EXPECT_TRUE(guess_after({1, 2, 3, 1, 2}, 0).empty());
}

TEST(Draft, GuessesFromOtherRequestsButNotAcrossThem) {
  Drafter drafter(4, 4);
  guess_behind(drafter, {1, 2, 3, 4, 5, 6}, 0);
  EXPECT_EQ(guess_behind(drafter, {9, 3, 4}, 9), (Ids{5, 6})) << "the first request ends there";
  EXPECT_TRUE(guess_behind(drafter, {6}, 9).empty()) << "what followed is another request";
}

TEST(Draft, OneTextGuessesWhatAnotherIsJustSaying) {
  Drafter drafter(4, 4);
  DraftText one(drafter), other(drafter);
  read(one, {1, 2, 3});
  read(other, {1, 2, 3});
  EXPECT_TRUE(guess(drafter, other, 9).empty()) << "as far as the other";
  read(one, {4, 5});
  EXPECT_EQ(guess(drafter, other, 9), (Ids{4, 5}));
  EXPECT_TRUE(guess(drafter, one, 9).empty());
}

TEST(Draft, TakesTheTurnsOfAConversationForOneText) {
  Drafter drafter(4, 4);
  guess_behind(drafter, {1, 2, 3, 4}, 0);
  EXPECT_EQ(guess_behind(drafter, {1, 2, 3, 4, 8, 3}, 9), (Ids{4, 8, 3, 4}))
      << "the turn goes on in the next";
  // The next turn differs from what was said: what they share still leads up to it.
  EXPECT_EQ(guess_behind(drafter, {1, 2, 3, 4, 7, 2, 3}, 2), (Ids{4, 7}));
}

// What a row costs beside one of a step of one.
void learn_costs(Drafter& drafter, double of_a_row) {
  for (size_t rows = 1; rows <= 40; ++rows)
    drafter.took(rows, rows == 1 ? 0 : 1, 1 + of_a_row * static_cast<double>(rows - 1));
}

TEST(Draft, GuessesAsManyTokensAsPay) {
  Drafter cheap(16), dear(16);
  learn_costs(cheap, 0.01);
  learn_costs(dear, 1.1);
  DraftText of_cheap(cheap), of_dear(dear);
  read(of_cheap, {1, 2, 3});
  read(of_dear, {1, 2, 3});
  for (int round = 0; round < 30; ++round) {
    for (const int32_t token : {4, 5, 6, 7}) {
      of_cheap.add(token);
      of_dear.add(token);
    }
  }
  EXPECT_EQ(guess(cheap, of_cheap, 100).size(), 16U) << "all were right of late";
  EXPECT_TRUE(guess(dear, of_dear, 100).empty()) << "a guess that is always right costs more than a step";
  for (int32_t i = 0; i < 16; ++i) {
    for (const int32_t token : {4, 5, 100 + i}) of_cheap.add(token);
  }
  of_cheap.add(4);
  of_cheap.add(5);
  EXPECT_LE(guess(cheap, of_cheap, 100).size(), 2U) << "what follows differs each time";
}

// Texts share a step: its room goes to those that were right of late, and how much is guessed depends on the
// rows that are there anyway.
TEST(Draft, TheLikeliestGuessesOfAllTextsGoFirst) {
  Drafter drafter(16);
  learn_costs(drafter, 0.01);
  DraftText repeats(drafter), changes(drafter), again(drafter);
  read(repeats, {1, 2, 3});
  for (int round = 0; round < 30; ++round) {
    for (const int32_t token : {4, 5, 6, 7}) repeats.add(token);
  }
  for (int32_t i = 0; i < 40; ++i) {
    for (const int32_t token : {20, 21, 1000 + i}) changes.add(token);
  }
  changes.add(20);
  read(again, {4, 5, 6});
  const Drafter::Asker askers[] = {{&changes, 100}, {&repeats, 100}, {&again, 0}};
  const auto guesses = drafter.guess(askers, 3, 12);
  ASSERT_EQ(guesses.size(), 3U);
  EXPECT_GT(guesses[1].size(), 8U);
  EXPECT_LT(guesses[0].size(), 3U);
  EXPECT_LE(guesses[0].size() + guesses[1].size(), 12U);
  EXPECT_TRUE(guesses[2].empty()) << "it has no room";
  EXPECT_EQ(guesses[1][0], 4);

  // Thirty rows at the price of one, and each further one at that of thirty.
  for (size_t round = 0; round < 50; ++round) {
    for (size_t rows = 1; rows <= 60; ++rows)
      drafter.took(rows, 0, rows <= 30 ? 1.0 : static_cast<double>(rows - 29));
  }
  EXPECT_GT(drafter.guess(askers, 3, 100)[1].size(), 8U);
  EXPECT_TRUE(drafter.guess(askers, 30, 100)[1].empty()) << "the step is full";
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
      for (const size_t draft : {1, 3, 8, 15, 100}) {
        Drafter drafter(draft, draft);
        options.drafter = &drafter;
        auto session = model.session();
        const Generated got = generate(*session, repeating(30, period), options);
        EXPECT_EQ(got.ids, expected.ids) << draft << " guesses, temperature " << temperature;
        EXPECT_EQ(got.reason, expected.reason);
        EXPECT_EQ(session->tokens(), plain->tokens());
        EXPECT_GT(got.drafted, got.accepted) << "some guess must have been wrong";
        EXPECT_GT(got.accepted, 0) << "and some right";
        // Again: now the whole answer has been seen.
        session->reset();
        const Generated again = generate(*session, repeating(30, period), options);
        EXPECT_EQ(again.ids, expected.ids);
        EXPECT_GE(again.accepted, got.accepted) << draft << " guesses, temperature " << temperature;
      }
      options.drafter = nullptr;
    }
  }
}

TEST(Speculation, OfSeveralRequestsAndTurnsGivesTheSameTokens) {
  const ToyModel model(10, 400, 16, 16);
  for (const size_t least : {size_t{0}, size_t{7}}) {
    Drafter drafter(7, least);
    auto plain = model.session(), session = model.session();
    for (size_t request = 0; request < 12; ++request) {
      GenerateOptions options{.max_tokens = 20, .sampler = {.temperature = 0.5, .seed = request % 3}};
      for (int32_t id = 0; id < 3; ++id) options.sampler.logit_bias[id] = 12;
      const Ids prompt = repeating(3 + request % 2 * 5, 2 + request % 3);
      // Every third request is a new conversation, the others go on with the one there is.
      if (request % 3 == 0) {
        plain->reset();
        session->reset();
      }
      const Generated expected = generate(*plain, prompt, options);
      options.drafter = &drafter;
      EXPECT_EQ(generate(*session, prompt, options).ids, expected.ids) << "request " << request;
      EXPECT_EQ(session->tokens(), plain->tokens());
    }
  }
}

TEST(Speculation, EndsWhereTheContextTheStopIdOrTheCallbackSays) {
  const ToyModel model(10, 60, 16, 4);
  GenerateOptions options{.max_tokens = 100};
  for (int32_t id = 0; id < 2; ++id) options.sampler.logit_bias[id] = 100;
  auto plain = model.session();
  const Ids all = generate(*plain, repeating(20, 2), options).ids;
  Drafter drafter(8, 8);
  options.drafter = &drafter;
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
  const ToyModel model(10, 400, 16, 16);  // 64 slots, of which a token sees 10
  auto session = model.session();
  session->step(some_tokens(100));
  EXPECT_FALSE(session->roll_back(44));
  EXPECT_EQ(session->position(), 100);
  EXPECT_FALSE(session->roll_back(101));
  EXPECT_FALSE(session->roll_back(-1));
  EXPECT_TRUE(session->roll_back(45));
  EXPECT_FALSE(session->roll_back(44)) << "going back does not bring back what was overwritten";
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
