// Chains of ops for `elementwise+(%x)`: each reads what the one before made, and nothing else reads that.
#pragma once

#include <vector>

#include "passes/pattern/match.h"

namespace lmc {

struct Chain {
  std::vector<OpId> ops;  // in the order they run
  ValueId from, to;       // what the first reads, what the last makes
};

// All chains of at least one op that begin at `from`, or that end at `to`; the longest first. Of chains that
// begin at one value only the beginning branches, so there are few.
std::vector<Chain> chains_from(const Graph& g, const PatternStatement& s, ValueId from);
std::vector<Chain> chains_to(const Graph& g, const PatternStatement& s, ValueId to);

}  // namespace lmc
