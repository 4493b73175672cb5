// Which format each weight gets where their bytes are given: the one that loses least of the predictions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lmc {

// What a weight costs in one format.
struct FormatPrice {
  double kl = 0;      // nats, of this weight alone
  int64_t bytes = 0;  // per token
};

// For each weight which of its prices: the least sum of KL whose bytes stay within `budget`, to a
// ten-thousandth of it for all weights together. nullopt if even the shortest formats take more.
std::optional<std::vector<size_t>> least_within(const std::vector<std::vector<FormatPrice>>& prices,
                                                int64_t budget);

}  // namespace lmc
