#include "ir/machine.h"

#include <algorithm>
#include <cmath>

namespace lmc {

double weights_of_part(size_t i) { return std::exp2(20 + static_cast<double>(i) / 2); }

double part_from_memory(double weight_bytes, const MachineFigures& machine) {
  const auto& parts = machine.from_memory;
  const double last = static_cast<double>(parts.size()) - 1;
  const double at = std::clamp(2 * (std::log2(std::max(weight_bytes, 1.0)) - 20), 0.0, last);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, parts.size() - 1);
  return std::lerp(parts[below], parts[above], at - static_cast<double>(below));
}

}  // namespace lmc
