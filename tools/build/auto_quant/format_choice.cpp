#include "tools/build/auto_quant/format_choice.h"

#include <algorithm>
#include <numeric>

namespace lmc {
namespace {

constexpr int kSteps = 10;  // measurements at most

// Indices, the least KL per byte first; of equals the one that saves more.
std::vector<size_t> cheapest_first(const std::vector<RoundingPrice>& prices) {
  std::vector<size_t> order(prices.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const RoundingPrice& x = prices[a];
    const RoundingPrice& y = prices[b];
    const double left = x.kl * static_cast<double>(y.saved);
    const double right = y.kl * static_cast<double>(x.saved);
    return left != right ? left < right : x.saved > y.saved;
  });
  return order;
}

double sum_of(const std::vector<RoundingPrice>& prices, const Chosen& chosen) {
  return std::accumulate(chosen.begin(), chosen.end(), 0.0,
                         [&](double sum, size_t i) { return sum + prices[i].kl; });
}

Chosen cheaper_half(const std::vector<RoundingPrice>& prices, const Chosen& of) {
  Chosen out = cheapest_first(prices);
  std::erase_if(out, [&](size_t i) { return !std::binary_search(of.begin(), of.end(), i); });
  out.resize(of.size() / 2);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

Chosen affordable(const std::vector<RoundingPrice>& prices, double allowance) {
  Chosen out;
  const double limit = allowance * (1 + 1e-9);  // rounding depends on the order of a sum
  double spent = 0;
  for (const size_t i : cheapest_first(prices)) {
    if (spent + prices[i].kl > limit) continue;
    spent += prices[i].kl;
    out.push_back(i);
  }
  std::sort(out.begin(), out.end());
  return out;
}

int64_t bytes_saved(const std::vector<RoundingPrice>& prices, const Chosen& chosen) {
  return std::accumulate(chosen.begin(), chosen.end(), int64_t{0},
                         [&](int64_t sum, size_t i) { return sum + prices[i].saved; });
}

Fit most_that_fit(const std::vector<RoundingPrice>& prices, double budget, double unrounded,
                  const std::function<double(const Chosen&)>& measure) {
  Chosen all(prices.size());
  std::iota(all.begin(), all.end(), size_t{0});
  const double total = sum_of(prices, all);
  const int64_t worth_it = std::max<int64_t>(bytes_saved(prices, all) / 100, 1);
  Fit best{{}, unrounded};
  Chosen refused;    // too much, as measured last
  double scale = 1;  // of what is measured to the sum of the prices
  for (int step = 0; step < kSteps; ++step) {
    // Aimed a little below, so that not every guess that is nearly right is beyond.
    Chosen chosen = affordable(prices, std::min(0.99 * (budget - unrounded) / scale, total));
    // Errors may not add up at all (an expert more or less): then the prices say no more than an order.
    const bool hopeless = chosen.empty() && best.chosen.empty();
    if (!refused.empty() && (hopeless || bytes_saved(prices, chosen) >= bytes_saved(prices, refused)))
      chosen = cheaper_half(prices, refused);
    if (bytes_saved(prices, chosen) - bytes_saved(prices, best.chosen) < worth_it) break;
    const double kl = measure(chosen);
    if (const double sum = sum_of(prices, chosen); sum > 0 && kl > unrounded) scale = (kl - unrounded) / sum;
    if (kl <= budget) {
      best = {std::move(chosen), kl};
    } else {
      refused = std::move(chosen);
    }
  }
  return best;
}

}  // namespace lmc
