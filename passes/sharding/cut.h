// Where things are cut.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// A contraction that is cut along k is the sum of so many parts, or of 4, 2 or 1 where k has fewer blocks,
// for any number of ranks up to that: that is what keeps the bits. More ranks have a part each.
inline constexpr int64_t kVirtualShards = 8;

// [first, end) of a dimension.
struct Stretch {
  int64_t first = 0, end = 0;

  int64_t size() const { return end - first; }
  bool empty() const { return first >= end; }
  bool operator==(const Stretch&) const = default;
  auto operator<=>(const Stretch&) const = default;
};

Stretch hull(const Stretch& a, const Stretch& b);  // an empty one counts for nothing

// `length` in so many pieces of whole units, as even as they can be; the last one has what is over.
// Error-free only if there are that many units.
std::vector<Stretch> cut_evenly(int64_t length, int64_t unit, int64_t pieces);

// The virtual shards of a projection's k: whole blocks of the weight's format and of the activations'.
std::vector<Stretch> cut_columns(const Graph& g, const Op& linear, int64_t ranks);

// Pieces of so many neighbouring ones: those of one rank.
std::vector<Stretch> join_neighbours(const std::vector<Stretch>& pieces, int64_t count);

}  // namespace lmc
