#include "tools/build/auto_quant/within_bytes.h"

#include <algorithm>
#include <limits>

namespace lmc {
namespace {

constexpr int64_t kUnits = 20'000;  // that the bytes above the shortest formats are counted in

int64_t shortest(const std::vector<FormatPrice>& of_weight) {
  return std::min_element(of_weight.begin(), of_weight.end(),
                          [](const FormatPrice& a, const FormatPrice& b) { return a.bytes < b.bytes; })
      ->bytes;
}

}  // namespace

// Dynamic programming: best[u] is the least sum of KL of the weights so far that takes u units at most. What
// a format takes beyond the weight's shortest one is counted in whole units, rounded up, so that the budget
// is kept.
std::optional<std::vector<size_t>> least_within(const std::vector<std::vector<FormatPrice>>& prices,
                                                int64_t budget) {
  int64_t left = budget;
  for (const auto& of_weight : prices) left -= shortest(of_weight);
  if (left < 0) return std::nullopt;
  const int64_t unit = std::max<int64_t>(left / kUnits, 1);
  const auto units = static_cast<size_t>(left / unit);
  std::vector<double> best(units + 1, 0);
  std::vector<std::vector<uint8_t>> taken;  // of each weight, by units
  for (const auto& of_weight : prices) {
    const int64_t least = shortest(of_weight);
    std::vector<double> next(units + 1, std::numeric_limits<double>::infinity());
    std::vector<uint8_t>& choice = taken.emplace_back(units + 1, 0);
    for (size_t f = 0; f < of_weight.size(); ++f) {
      const auto more = static_cast<size_t>((of_weight[f].bytes - least + unit - 1) / unit);
      for (size_t u = more; u <= units; ++u) {
        const double kl = best[u - more] + of_weight[f].kl;
        if (kl >= next[u]) continue;
        next[u] = kl;
        choice[u] = static_cast<uint8_t>(f);
      }
    }
    best = std::move(next);
  }
  std::vector<size_t> out(prices.size());
  size_t u = units;
  for (size_t w = prices.size(); w-- > 0;) {
    out[w] = taken[w][u];
    u -= static_cast<size_t>((prices[w][out[w]].bytes - shortest(prices[w]) + unit - 1) / unit);
  }
  return out;
}

}  // namespace lmc
