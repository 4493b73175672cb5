#include "ir/reach.h"

namespace lmc {

std::vector<ReachRow> reached_from(const Predecessors& predecessors, std::span<const int> from) {
  std::vector<ReachRow> rows(predecessors.size());
  if (from.empty()) return rows;
  // At first a node counts as reached from itself, so that whatever is behind it inherits the bit.
  for (size_t c = 0; c < from.size(); ++c) rows[static_cast<size_t>(from[c])].set(c);
  const auto first = static_cast<size_t>(*std::min_element(from.begin(), from.end()));
  for (size_t j = first; j < rows.size(); ++j) {
    for (const int i : predecessors[j]) rows[j] |= rows[static_cast<size_t>(i)];
  }
  for (size_t c = 0; c < from.size(); ++c) rows[static_cast<size_t>(from[c])].reset(c);
  return rows;
}

}  // namespace lmc
