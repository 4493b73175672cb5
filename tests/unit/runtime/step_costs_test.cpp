#include "runtime/step_costs.h"

#include <gtest/gtest.h>

namespace lmc {
namespace {

TEST(StepCosts, LieBetweenWhatWasMeasured) {
  StepCosts costs(16);
  for (int i = 0; i < 20; ++i) {
    costs.add(1, true, 0.010);
    costs.add(5, false, 0.020);
    costs.add(9, false, 0.040);
  }
  EXPECT_DOUBLE_EQ(costs.of(1, 1), 1);
  EXPECT_DOUBLE_EQ(costs.of(3, 1), 1.5);
  EXPECT_DOUBLE_EQ(costs.of(5, 1), 2);
  EXPECT_DOUBLE_EQ(costs.of(7, 1), 3);
  EXPECT_GT(costs.of(16, 1), 4) << "beyond them a row costs a little";
  EXPECT_LT(costs.of(16, 1), 5);
}

TEST(StepCosts, AreNeverLessThanOfOneRow) {
  StepCosts costs(4);
  costs.add(1, true, 0.010);
  costs.add(2, false, 0.001);
  EXPECT_DOUBLE_EQ(costs.of(2, 1), 1);
}

TEST(StepCosts, AHiccupIsNotThePrice) {
  StepCosts costs(4);
  for (int i = 0; i < 20; ++i) {
    costs.add(1, true, 0.010);
    costs.add(4, false, 0.012);
  }
  costs.add(4, false, 5);
  EXPECT_LT(costs.of(4, 1), 1.4);
}

TEST(StepCosts, ForgetWhatIsOldAndAskForAPlainStep) {
  StepCosts costs(4);
  EXPECT_TRUE(costs.plain_is_due(1));
  costs.add(4, false, 0.5);
  costs.add(1, true, 0.010);
  EXPECT_FALSE(costs.plain_is_due(1));
  EXPECT_DOUBLE_EQ(costs.of(4, 1), 50);
  for (int i = 0; i < 600; ++i) costs.add(2, false, 0.011);
  EXPECT_TRUE(costs.plain_is_due(1));
  costs.add(1, true, 0.010);
  EXPECT_LT(costs.of(4, 1), 1.5) << "what was measured long ago may be otherwise now";
  costs.add(100, false, 1);  // more rows than it is asked about
  EXPECT_LT(costs.of(4, 1), 1.5);
}

TEST(StepCosts, AreThoseBesideAnyNumberOfRows) {
  StepCosts costs(64);
  EXPECT_DOUBLE_EQ(costs.of(12, 8), 1.08) << "while nothing is known";
  for (int i = 0; i < 20; ++i) {
    costs.add(8, true, 0.010);
    costs.add(16, false, 0.015);
  }
  EXPECT_DOUBLE_EQ(costs.of(16, 8), 1.5);
  EXPECT_DOUBLE_EQ(costs.of(12, 8), 1.25);
  EXPECT_DOUBLE_EQ(costs.of(16, 12), 1.2);
  EXPECT_DOUBLE_EQ(costs.of(8, 8), 1);
}

// However the number of rows changes, most steps may try something.
TEST(StepCosts, PlainStepsAreAskedForNowAndThen) {
  StepCosts costs(64);
  int plain = 0;
  for (size_t i = 0; i < 400; ++i) {
    const size_t base = 1 + i * 7 % 50;
    const bool due = costs.plain_is_due(base);
    plain += due ? 1 : 0;
    costs.add(due ? base : base + 4, due, 0.01);
  }
  EXPECT_GE(plain, 4);
  EXPECT_LE(plain, 400 / 8 + 1);
}

}  // namespace
}  // namespace lmc
