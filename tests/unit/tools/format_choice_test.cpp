#include "tools/build/auto_quant/format_choice.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lmc {
namespace {

using Prices = std::vector<RoundingPrice>;

TEST(FormatChoice, WhatSavesMostForItsPriceIsTakenWhileItCanBePaid) {
  const Prices prices = {{0.3, 10}, {0.1, 10}, {0.5, 100}, {0, 1}, {0, 7}};
  EXPECT_EQ(affordable(prices, 0), (Chosen{3, 4}));
  EXPECT_EQ(affordable(prices, 0.45), (Chosen{0, 1, 3, 4})) << "the best of all is too dear";
  EXPECT_EQ(affordable(prices, 0.65), (Chosen{1, 2, 3, 4}));
  EXPECT_EQ(affordable(prices, 1), (Chosen{0, 1, 2, 3, 4}));
  EXPECT_EQ(bytes_saved(prices, {1, 2}), 110);
  EXPECT_TRUE(affordable({}, 1).empty());
  EXPECT_EQ(affordable({{0.1, 1}, {0.2, 1}, {0.3, 9}}, 0.1 + 0.2 + 0.3).size(), 3U) << "in another order";
  EXPECT_EQ(affordable({{0.3, 9}, {0.2, 1}, {0.1, 1}}, 0.3 + 0.2 + 0.1).size(), 3U);
}

TEST(FormatChoice, AsMuchAsTheBudgetAllowsWhateverTheSumOfThePricesSays) {
  std::mt19937 random(1);
  for (const double scale : {0.01, 0.5, 1.0, 3.0, 100.0}) {
    Prices prices = {{0.3, 300'000}};  // an lm_head
    for (int i = 0; i < 250; ++i)
      prices.push_back(
          {static_cast<double>(random() % 1000) * 1e-5, 1000 + static_cast<int64_t>(random() % 9000)});
    Chosen all;
    for (size_t i = 0; i < prices.size(); ++i) all.push_back(i);
    for (const double budget : {0.001, 0.002, 0.01, 0.3, 1e6}) {
      int asked = 0;
      const auto kl = [&](const Chosen& chosen) {
        ++asked;
        double sum = 0;
        for (const size_t i : chosen) sum += prices[i].kl;
        return 0.001 + scale * sum;
      };
      const Fit fit = most_that_fit(prices, budget, 0.001, kl);
      EXPECT_LE(asked, 8) << scale << " " << budget;
      EXPECT_LE(fit.kl, budget);
      EXPECT_DOUBLE_EQ(fit.kl, kl(fit.chosen));
      const int64_t left =
          bytes_saved(prices, affordable(prices, (budget - 0.001) / scale)) - bytes_saved(prices, fit.chosen);
      EXPECT_LE(left * 50, bytes_saved(prices, all)) << scale << " " << budget;
    }
  }
}

TEST(FormatChoice, NothingToChooseIsNotMeasured) {
  const auto never = [](const Chosen&) -> double {
    ADD_FAILURE();
    return 0;
  };
  EXPECT_EQ(most_that_fit({}, 0.1, 0.01, never).chosen.size(), 0U);
}

// Errors that cancel out or are too small to measure: prices of 0, and measurements below that of none.
TEST(FormatChoice, ErrorsThatCannotBeMeasuredDoNotStopIt) {
  const Prices prices(20, {0, 100});
  const Fit all = most_that_fit(prices, 0.1, 0.05, [](const Chosen&) { return 0.04; });
  EXPECT_EQ(all.chosen.size(), 20U);
  int asked = 0;
  const Fit none = most_that_fit(prices, 0.1, 0.05, [&](const Chosen&) {
    ++asked;
    return 0.2;
  });
  EXPECT_LE(asked, 5) << "20, 10, 5, 2, 1";
  EXPECT_EQ(none.chosen.size(), 0U);
  EXPECT_EQ(none.kl, 0.05);
}

// Whatever more than three are chosen costs the same: the sum of the prices says nothing.
TEST(FormatChoice, ErrorsThatDoNotAddUpAreFoundByHalving) {
  for (const double price : {0.0, 1e-6}) {
    const Prices prices(20, {price, 100});
    const Fit fit =
        most_that_fit(prices, 0.1, 0, [](const Chosen& chosen) { return chosen.size() > 3 ? 0.9 : 0.01; });
    EXPECT_GE(fit.chosen.size(), 1U);
    EXPECT_LE(fit.chosen.size(), 3U);
    EXPECT_EQ(fit.kl, 0.01);
  }
}

}  // namespace
}  // namespace lmc
