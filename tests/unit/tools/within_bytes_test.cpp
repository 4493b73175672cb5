#include "tools/build/auto_quant/within_bytes.h"

#include <gtest/gtest.h>

#include <random>

namespace lmc {
namespace {

using Prices = std::vector<std::vector<FormatPrice>>;

double kl_of(const Prices& prices, const std::vector<size_t>& chosen) {
  double sum = 0;
  for (size_t w = 0; w < prices.size(); ++w) sum += prices[w][chosen[w]].kl;
  return sum;
}

int64_t bytes_of(const Prices& prices, const std::vector<size_t>& chosen) {
  int64_t sum = 0;
  for (size_t w = 0; w < prices.size(); ++w) sum += prices[w][chosen[w]].bytes;
  return sum;
}

// Every way to choose.
double least_of_all(const Prices& prices, int64_t budget) {
  std::vector<size_t> chosen(prices.size());
  double best = INFINITY;
  for (bool more = true; more;) {
    if (bytes_of(prices, chosen) <= budget) best = std::min(best, kl_of(prices, chosen));
    size_t w = 0;
    while (w < prices.size() && ++chosen[w] == prices[w].size()) chosen[w++] = 0;
    more = w < prices.size();
  }
  return best;
}

TEST(WithinBytes, the_least_of_all_choices_is_found) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    Prices prices;
    int64_t least = 0, most = 0;
    for (int w = 0; w < 6; ++w) {
      auto& of_weight = prices.emplace_back();
      const auto numbers = static_cast<int64_t>(1 + random() % 40);
      for (int64_t bits = 4; bits < 9; bits += 1 + static_cast<int64_t>(random() % 2))
        of_weight.push_back(
            {static_cast<double>(random() % 1000) / static_cast<double>(bits * bits), bits * numbers});
      least += of_weight.front().bytes;
      most += of_weight.back().bytes;
    }
    for (int64_t budget = least; budget <= most + 10; budget += 7) {
      const auto chosen = least_within(prices, budget);
      ASSERT_TRUE(chosen);
      EXPECT_LE(bytes_of(prices, *chosen), budget);
      EXPECT_DOUBLE_EQ(kl_of(prices, *chosen), least_of_all(prices, budget)) << budget;
    }
    EXPECT_FALSE(least_within(prices, least - 1));
  }
}

TEST(WithinBytes, budgets_of_gigabytes_are_kept_and_nearly_used) {
  std::mt19937 random(4);
  Prices prices;
  int64_t least = 0;
  for (int w = 0; w < 100; ++w) {
    const auto numbers = static_cast<int64_t>(1'000'000 + random() % 80'000'000);
    const double kl = static_cast<double>(random() % 1000) * 1e-6;
    prices.push_back({{kl, numbers / 2}, {kl / 4, numbers / 8 * 5}, {kl / 100, numbers}});
    least += numbers / 2;
  }
  const int64_t budget = least * 6 / 5;
  const auto chosen = least_within(prices, budget);
  ASSERT_TRUE(chosen);
  EXPECT_LE(bytes_of(prices, *chosen), budget);
  EXPECT_GE(bytes_of(prices, *chosen), budget - budget / 100);
}

TEST(WithinBytes, nothing_to_choose_fits) {
  EXPECT_TRUE(least_within({}, 0)->empty());
  EXPECT_FALSE(least_within({}, -1));
}

}  // namespace
}  // namespace lmc
