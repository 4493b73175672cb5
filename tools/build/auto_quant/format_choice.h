// Which projections may be rounded further: those that save most for what they do to the predictions, as many
// as the budget allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace lmc {

// What rounding one weight costs and saves.
struct RoundingPrice {
  double kl = 0;      // nats, of this weight alone
  int64_t saved = 0;  // bytes per token
};

// Which weights, in rising order of their indices.
using Chosen = std::vector<size_t>;

// Those that save most for their price, while the sum of the prices stays within the allowance; what is too
// dear is left out, and cheaper ones go on.
Chosen affordable(const std::vector<RoundingPrice>& prices, double allowance);

int64_t bytes_saved(const std::vector<RoundingPrice>& prices, const Chosen& chosen);

struct Fit {
  Chosen chosen;
  double kl = 0;  // as measured
};

// What saves most within the budget: `measure(chosen)` is the KL with these rounded, `unrounded` with none,
// which fits. Small independent errors add up nearly as their sum, so the budget is the first allowance; a
// few measurements then correct it, until no more than a hundredth of all that could be saved seems left to
// win.
Fit most_that_fit(const std::vector<RoundingPrice>& prices, double budget, double unrounded,
                  const std::function<double(const Chosen&)>& measure);

}  // namespace lmc
