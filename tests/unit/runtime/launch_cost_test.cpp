#include "runtime/launch_cost.h"

#include <gtest/gtest.h>

namespace lmc {
namespace {

// How long things take is no test's business; that it is measured and ends, also beyond the cores, is.
TEST(LaunchCost, IsMeasuredForAnyNumberOfThreads) {
  for (const int threads : {2, 5}) {
    Workers workers(threads);
    const LaunchCost cost = measure_launch_cost(workers);
    EXPECT_GT(cost.stage, 0);
    EXPECT_GT(cost.step_start, 0);
  }
}

}  // namespace
}  // namespace lmc
