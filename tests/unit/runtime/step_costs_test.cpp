#include "runtime/step_costs.h"

#include <gtest/gtest.h>

namespace lmc {
namespace {

TEST(StepCosts, LieBetweenWhatWasMeasured) {
  StepCosts costs(16);
  for (int i = 0; i < 20; ++i) {
    costs.add(1, 0.010);
    costs.add(5, 0.020);
    costs.add(9, 0.040);
  }
  EXPECT_DOUBLE_EQ(costs.of(1), 1);
  EXPECT_DOUBLE_EQ(costs.of(3), 1.5);
  EXPECT_DOUBLE_EQ(costs.of(5), 2);
  EXPECT_DOUBLE_EQ(costs.of(7), 3);
  EXPECT_GT(costs.of(16), 4) << "beyond them a row costs a little";
  EXPECT_LT(costs.of(16), 5);
}

TEST(StepCosts, AreNeverLessThanOfOneRow) {
  StepCosts costs(4);
  costs.add(1, 0.010);
  costs.add(2, 0.001);
  EXPECT_DOUBLE_EQ(costs.of(2), 1);
}

TEST(StepCosts, AHiccupIsNotThePrice) {
  StepCosts costs(4);
  for (int i = 0; i < 20; ++i) {
    costs.add(1, 0.010);
    costs.add(4, 0.012);
  }
  costs.add(4, 5);
  EXPECT_LT(costs.of(4), 1.4);
}

TEST(StepCosts, ForgetWhatIsOldAndAskForASingleRow) {
  StepCosts costs(4);
  EXPECT_TRUE(costs.single_is_due());
  costs.add(4, 0.5);
  costs.add(1, 0.010);
  EXPECT_FALSE(costs.single_is_due());
  EXPECT_DOUBLE_EQ(costs.of(4), 50);
  for (int i = 0; i < 600; ++i) costs.add(2, 0.011);
  EXPECT_TRUE(costs.single_is_due());
  costs.add(1, 0.010);
  EXPECT_LT(costs.of(4), 1.5) << "what was measured long ago may be otherwise now";
  costs.add(100, 1);  // more rows than it is asked about
  EXPECT_LT(costs.of(4), 1.5);
}

}  // namespace
}  // namespace lmc
