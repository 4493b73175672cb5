#include "ir/alibi.h"

#include <bit>
#include <cmath>

namespace lmc {

std::vector<double> alibi_slopes(int64_t heads) {
  const auto lower = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  std::vector<double> out;
  for (int64_t h = 0; h < lower; ++h)
    out.push_back(std::exp2(-8.0 * static_cast<double>(h + 1) / static_cast<double>(lower)));
  for (int64_t h = lower; h < heads; ++h)
    out.push_back(std::exp2(-4.0 * static_cast<double>(2 * (h - lower) + 1) / static_cast<double>(lower)));
  return out;
}

}  // namespace lmc
