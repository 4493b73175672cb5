#include "runtime/self_draft.h"

#include <gtest/gtest.h>

namespace lmc {
namespace {

constexpr size_t kRoom = 8;

// Steps of up to so many rows that cost `more` a row, of 1 s; guesses of `guess` s of which so many in ten
// are right, each after the one before it.
size_t length(double more, double guess, size_t right_of_ten) {
  StepCosts costs(kRoom + 1);
  for (size_t rows = 1; rows <= kRoom + 1; ++rows)
    costs.add(rows, rows == 1, 1 + more * static_cast<double>(rows - 1));
  SelfDraft draft;
  for (size_t i = 0; i < 200; ++i) draft.add(1, i % 10 < right_of_ten ? 1 : 0, guess);
  return draft.length(costs, kRoom);
}

TEST(SelfDraft, GuessesAsManyAsPay) {
  EXPECT_EQ(length(0.03, 0.55, 5), 0u) << "1.5 tokens for 1.58";
  EXPECT_EQ(length(0.03, 0.55, 7), 1u) << "1.7 tokens for 1.58, 2.19 for 2.16";
  EXPECT_GE(length(0.03, 0.3, 9), 3u) << "3.44 tokens for 1.99, 2.71 for 1.66";
  EXPECT_EQ(length(0.03, 0.05, 10), kRoom) << "all are right and cost nothing";
  EXPECT_EQ(length(0.9, 0.55, 10), 0u) << "verifying costs as much as a token";
}

TEST(SelfDraft, TriesAgainNowAndThen) {
  StepCosts costs(kRoom + 1);
  costs.add(1, true, 1);
  SelfDraft draft;
  for (int i = 0; i < 100; ++i) draft.add(2, 0, 1.2);
  int tried = 0;
  for (int step = 0; step < 1000; ++step) {
    const size_t n = draft.length(costs, kRoom);
    EXPECT_LE(n, 1u);
    if (n == 0) draft.pass();
    if (n > 0) draft.add(n, 0, 0.6);
    tried += n > 0 ? 1 : 0;
  }
  EXPECT_GT(tried, 10);
  EXPECT_LT(tried, 20);
  for (int i = 0; i < 100; ++i) draft.add(1, 1, 0.6);
  EXPECT_GE(draft.length(costs, kRoom), 1u) << "a text that changed";
  EXPECT_EQ(draft.length(costs, 0), 0u);
}

}  // namespace
}  // namespace lmc
