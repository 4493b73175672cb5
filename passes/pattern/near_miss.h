// Where a pattern nearly matched, for --explain.
#pragma once

#include <string>
#include <vector>

#include "passes/pattern/match.h"

namespace lmc {

struct NearMiss {
  OpId anchor;
  std::string scope;  // "layers.0.attention"
  std::string why;
};

// One line for each reason: places that differ in names and layers alone are counted, not repeated.
// "layers.0.attention: role is other, not attn_k (26 places, to layers.25.attention)"
std::vector<std::string> folded(const std::vector<NearMiss>& misses);

// Why nothing in `g` is what the pattern begins with.
std::string no_anchor(const Graph& g, const Pattern& pattern);

}  // namespace lmc
