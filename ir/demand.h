// What the ops that read an input want of its numbers: read off the names that ops give their operands.
#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace lmc {

struct Demand {
  bool position = false;      // follows the cache
  bool row = false;           // a row of this step
  bool length = false;        // how many positions the sequence has, this step's included
  bool appended = false;      // a cache that the step appends to
  int64_t below = INT32_MAX;  // ids: rows of the smallest table
};
// Also inside groups.
Demand demand_on(const Graph& g, ValueId input);

}  // namespace lmc
