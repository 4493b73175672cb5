#include "tools/measure/logit_comparison.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ir/error.h"

namespace lmc {
namespace {

using Row = std::vector<float>;

// Logits of these probabilities, shifted.
Row logits(const std::vector<double>& p, double shift = 0) {
  Row out;
  for (double x : p) out.push_back(static_cast<float>(std::log(x) + shift));
  return out;
}

TEST(LogitComparison, ItsFiguresAreThoseOfTheDefinitions) {
  LogitComparison c;
  c.add(logits({0.5, 0.25, 0.25}, 3), logits({0.25, 0.5, 0.25}, -40), 0);
  c.add(logits({0.8, 0.1, 0.1}), logits({0.8, 0.1, 0.1}, 100), 1);
  const ComparedLogits r = c.result();
  EXPECT_EQ(r.tokens, 2);
  const double kl = 0.5 * std::log(2.0) - 0.25 * std::log(2.0);
  EXPECT_NEAR(r.kl_mean, kl / 2, 1e-5);
  EXPECT_NEAR(r.kl_max, kl, 1e-5);
  EXPECT_NEAR(r.kl_p99, kl, 1e-5);
  EXPECT_NEAR(r.same_top, 0.5, 1e-12);
  EXPECT_NEAR(r.nll_a, -(std::log(0.5) + std::log(0.1)) / 2, 1e-5);
  EXPECT_NEAR(r.nll_b, -(std::log(0.25) + std::log(0.1)) / 2, 1e-5);
  EXPECT_NEAR(r.difference, -std::log(2.0) / 2, 1e-5);
  EXPECT_NEAR(r.standard_error, std::log(2.0) / 2, 1e-5) << "of -ln 2 and 0: sqrt(2 · (ln 2 / 2)² / 1 / 2)";
}

TEST(LogitComparison, NinetyNineOfAHundredLieBelowTheirPercentile) {
  LogitComparison c;
  for (int i = 0; i < 200; ++i) c.add(logits({0.5, 0.5}), i < 3 ? logits({0.9, 0.1}) : logits({0.5, 0.5}), 0);
  EXPECT_GT(c.result().kl_p99, 0.4) << "three of 200 are more than 1%";
  for (int i = 0; i < 200; ++i) c.add(logits({0.5, 0.5}), logits({0.5, 0.5}), 0);
  EXPECT_NEAR(c.result().kl_p99, 0, 1e-9) << "three of 400 are less";
  EXPECT_GT(c.result().kl_max, 0.4);
}

TEST(LogitComparison, WhatIsNoDistributionIsRefused) {
  LogitComparison c;
  const Row good = {1, 2}, nan = {1, NAN}, inf = {INFINITY, 2}, none = {1, -INFINITY};
  EXPECT_THROW(c.add(good, nan, 0), Error);
  EXPECT_THROW(c.add(inf, good, 0), Error);
  EXPECT_THROW(c.add(good, none, 0), Error) << "an infinite divergence";
}

}  // namespace
}  // namespace lmc
