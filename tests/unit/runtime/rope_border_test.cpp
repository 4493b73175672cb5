// Sequences that grow over the border of longrope's factors and come back: the result is that of a new
// session.
#include <gtest/gtest.h>

#include <atomic>

#include "runtime/draft.h"
#include "runtime/generate.h"
#include "toy_model.h"

namespace lmc {
namespace {

using test::mix;
using test::some_tokens;
using test::ToyModel;
using Ids = std::vector<int32_t>;

std::vector<float> copied(std::span<const float> s) { return {s.begin(), s.end()}; }

TEST(RopeBorder, AnyWayToASequenceGivesTheLogitsOfANewSession) {
  const ToyModel model(10, 200, 16, 16, 30);
  auto session = model.session();
  uint64_t random = 1;
  const auto upto = [&](int64_t n) {
    return static_cast<int64_t>((random = mix(random, 7)) % static_cast<uint64_t>(n));
  };
  int crossings = 0;
  for (int i = 0; i < 400; ++i) {
    const bool before = session->position() > 30;
    const int64_t way = upto(4);
    if (way == 0 || session->position() > 60) {
      if (!session->roll_back(std::max<int64_t>(0, session->position() - upto(40)))) session->reset();
    }
    const Ids tokens = some_tokens(static_cast<size_t>(1 + upto(way == 1 ? 20 : 3)));
    Ids whole = session->tokens();
    whole.insert(whole.end(), tokens.begin(), tokens.end());
    if (way == 2) {
      EXPECT_EQ(session->next(tokens), greedy(model.reference(whole)));
    } else {
      EXPECT_EQ(copied(session->step(tokens)), model.reference(whole));
    }
    EXPECT_EQ(session->tokens(), whole);
    crossings += before != (session->position() > 30) ? 1 : 0;
  }
  EXPECT_GT(crossings, 20);
}

TEST(RopeBorder, APromptOnTheOtherSideKeepsNothing) {
  const ToyModel model(100, 200, 16, 16, 30);
  auto session = model.session();
  const Ids tokens = some_tokens(50);
  session->step(std::span(tokens).first(29));
  EXPECT_EQ(session->keep_prefix(std::span(tokens).first(30)), 29);
  EXPECT_EQ(session->keep_prefix(std::span(tokens).first(31)), 0);
  session->step(std::span(tokens).first(40));
  EXPECT_EQ(session->keep_prefix(tokens), 40);
  EXPECT_EQ(session->keep_prefix(std::span(tokens).first(20)), 0);
  EXPECT_EQ(copied(session->step(std::span(tokens).first(20))), model.reference(std::span(tokens).first(20)));
}

TEST(RopeBorder, RoomEndsThere) {
  const ToyModel model(10, 100, 16, 16, 30);
  auto session = model.session();
  EXPECT_EQ(session->room(), 30);
  session->step(some_tokens(30));
  EXPECT_EQ(session->room(), 70);
  const ToyModel small(10, 20, 16, 16, 30);
  EXPECT_EQ(small.session()->room(), 20);
}

TEST(RopeBorder, GuessedTokensChangeNothing) {
  const ToyModel model(10, 200, 16, 16, 60);
  Ids prompt;
  for (int32_t i = 0; i < 30; ++i) prompt.push_back(i % 3);
  GenerateOptions options{.max_tokens = 100};
  for (int32_t id = 0; id < 3; ++id) options.sampler.logit_bias[id] = 12;
  auto plain = model.session();
  const Generated expected = generate(*plain, prompt, options);
  for (const size_t draft : {1, 3, 15}) {
    Drafter drafter(draft, draft);
    options.drafter = &drafter;
    auto session = model.session();
    const Generated got = generate(*session, prompt, options);
    EXPECT_EQ(got.ids, expected.ids) << draft;
    EXPECT_GT(got.accepted, 0);
  }
}

TEST(RopeBorder, StoppedWhileFeedingAgainTheSequenceIsShorterAndGoesOn) {
  const ToyModel model(100, 200, 4, 4, 30);
  std::atomic<bool> stop = false;
  int64_t steps = 0;
  SessionOptions options{.threads = 1, .profile = true, .stop = &stop};
  options.on_step = [&](const StepPlan&, const StepInfo&, const Profile&) { stop = ++steps == 8 + 3; };
  auto session = model.session(options);
  const Ids tokens = some_tokens(40);
  session->step(std::span(tokens).first(30));
  EXPECT_EQ(steps, 8);
  EXPECT_TRUE(session->step(std::span(tokens).subspan(30, 1)).empty());
  EXPECT_EQ(session->position(), 12) << "three blocks of four";
  EXPECT_TRUE(session->step(std::span(tokens).subspan(12, 1)).empty());
  EXPECT_EQ(session->position(), 12) << "nothing is given up for a call that ends at once";
  stop = false;
  EXPECT_EQ(copied(session->step(std::span(tokens).subspan(12, 8))),
            model.reference(std::span(tokens).first(20)));
}

}  // namespace
}  // namespace lmc
