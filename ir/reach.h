// Which nodes of a DAG are before which, asked in blocks. All pairs would be a table that grows with the
// square of a model's layers; a block of it is one short row for each node, and each row is made of those of
// its predecessors.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <span>
#include <vector>

namespace lmc {

// predecessors[i]: nodes of lower number.
using Predecessors = std::vector<std::vector<int>>;

inline constexpr size_t kReachBlock = 512;  // a cache line each row
using ReachRow = std::bitset<kReachBlock>;

// Bit c of row j: a path leads from node from[c] to node j. No more than kReachBlock of them.
std::vector<ReachRow> reached_from(const Predecessors& predecessors, std::span<const int> from);

// Calls use(first, rows) for from[first], from[first + 1], … , a block at a time.
template <class Use>
void for_reached(const Predecessors& predecessors, std::span<const int> from, const Use& use) {
  for (size_t first = 0; first < from.size(); first += kReachBlock)
    use(first, reached_from(predecessors, from.subspan(first, std::min(kReachBlock, from.size() - first))));
}

}  // namespace lmc
