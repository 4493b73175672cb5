#include "runtime/serving/prefill_share.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace lmc {
namespace {

// A machine whose steps cost what `seconds` says, for as many steps; returns the slowest step with prompts
// and the tokens of the last.
struct Seen {
  double slowest = 0;
  int64_t last = 0, without = 0, in_all = 0;
};
Seen run(PrefillShare& share, int steps, int64_t texts,
         const std::function<double(int64_t texts, int64_t tokens)>& seconds) {
  Seen out;
  for (int i = 0; i < steps; ++i) {
    const int64_t tokens = share.tokens(texts, 500);
    const double took = seconds(texts, tokens);
    share.took(texts, tokens, took);
    out.without += tokens == 0 ? 1 : 0;
    out.in_all += tokens;
    if (tokens == 0) continue;
    out.slowest = std::max(out.slowest, took);
    out.last = tokens;
  }
  return out;
}

double linear(int64_t texts, int64_t tokens) {
  return 0.030 + 0.001 * static_cast<double>(texts) + 0.002 * static_cast<double>(tokens);
}

TEST(PrefillShare, PromptsTakeTheirShareOfAStep) {
  for (const double part : {0.2, 0.5, 0.75}) {
    PrefillShare share(part, 8);
    const Seen seen = run(share, 100, 4, linear);
    EXPECT_LE(seen.slowest, linear(4, 0) / (1 - part) * 1.01);
    EXPECT_GE(linear(4, seen.last), linear(4, 0) / (1 - part) * 0.9);
    EXPECT_LE(seen.without, 4) << "now and then a step without prompts";
  }
}

// The more tokens, the dearer each: weights are read for the first ones anyway.
TEST(PrefillShare, NearTheBoundWhereCostsAreNotLinear) {
  const auto seconds = [](int64_t texts, int64_t tokens) {
    return std::max(0.040, 0.004 * static_cast<double>(texts + tokens));
  };
  PrefillShare share(0.5, 8);
  const Seen seen = run(share, 100, 2, seconds);
  EXPECT_LE(seen.slowest, 0.080 * 1.5) << "3 times a quiet step at the worst";
  EXPECT_NEAR(static_cast<double>(seen.last), 18, 4);
}

TEST(PrefillShare, FollowsWhatTokensCostNow) {
  PrefillShare share(0.5, 8);
  double each = 0.001;
  const auto seconds = [&](int64_t, int64_t tokens) { return 0.040 + each * static_cast<double>(tokens); };
  EXPECT_NEAR(static_cast<double>(run(share, 50, 1, seconds).last), 40, 2);
  each = 0.002;  // deeper in the prompt
  EXPECT_NEAR(static_cast<double>(run(share, 50, 1, seconds).last), 20, 2);
  each = 0.0005;
  EXPECT_NEAR(static_cast<double>(run(share, 100, 1, seconds).last), 80, 8);
}

// However the number of texts changes, prompts get on, and within the bound.
TEST(PrefillShare, NumbersOfTextsThatNeverStayStarveNobody) {
  PrefillShare share(0.5, 64);
  int64_t in_all = 0;
  for (int64_t step = 0; step < 500; ++step) {
    const int64_t texts = 1 + step * 37 % 64;
    const int64_t tokens = share.tokens(texts, 500);
    share.took(texts, tokens, linear(texts, tokens));
    in_all += tokens;
    EXPECT_LE(linear(texts, tokens), 2.1 * linear(texts, 0)) << step;
  }
  EXPECT_GT(in_all, 500 * 8);
}

TEST(PrefillShare, ALoneSlowStepIsNotThePrice) {
  PrefillShare share(0.5, 8);
  run(share, 50, 4, linear);
  const int64_t before = share.tokens(4, 500);
  share.took(4, before, 5.0);
  const int64_t after = share.tokens(4, 500);
  EXPECT_GE(after, before / 2);
  EXPECT_NEAR(static_cast<double>(run(share, 50, 4, linear).last), static_cast<double>(before), 1);
}

// A server just started: a prompt alone took as long as reading the weights does, which says nothing of the
// next, whose text is joined by many prompts at once.
TEST(PrefillShare, AFirstPromptAloneIsNotThePriceOfTheNext) {
  const auto seconds = [](int64_t texts, int64_t tokens) {
    return 0.070 + 0.0015 * static_cast<double>(texts + tokens);
  };
  PrefillShare share(0.5, 8);
  share.took(0, 8, seconds(0, 8));
  for (int i = 0; i < 40; ++i) share.took(1, 0, seconds(1, 0));
  share.took(0, 8, seconds(0, 8));
  EXPECT_EQ(share.tokens(1, 56), 16) << "twice what was timed";
  share.took(1, 16, seconds(1, 16));
  EXPECT_EQ(share.tokens(3, 40), 32);
}

TEST(PrefillShare, AtLeastOneTokenAtMostTheRoom) {
  PrefillShare none(0, 8);
  EXPECT_EQ(run(none, 50, 4, linear).last, 1);
  PrefillShare all(1, 8);
  EXPECT_EQ(all.tokens(4, 500), 500);
  PrefillShare some(0.5, 8);
  EXPECT_EQ(some.tokens(0, 256), 256) << "no text is made";
  EXPECT_EQ(some.tokens(3, 256), 0) << "what it costs without prompts is not known";
  some.took(3, 0, 0.03);
  some.took(3, 0, 0.03);
  EXPECT_EQ(some.tokens(3, 256), 1) << "what a prompt's token costs is not known";
  some.took(0, 256, 0.512);
  EXPECT_EQ(some.tokens(3, 256), 15);
  EXPECT_EQ(some.tokens(3, 5), 5);
}

}  // namespace
}  // namespace lmc
