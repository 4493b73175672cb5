// Questions about a handful of ops in a large graph, answered without walking the graph: a pass asks them at
// every match, and a walk each time would make it quadratic.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace lmc {

// The ops, each behind those of them it reads; of several that could come next, the lowest id.
std::vector<OpId> in_order(const Graph& g, const std::vector<OpId>& ops);

// Erases them; nothing else may read their results.
void erase_ops(Graph& g, const std::vector<OpId>& ops);

// True if no path leaves the ops and comes back: is_convex of ir/graph_algorithms.h, which walks all that
// follows.
bool is_convex_locally(const Graph& g, const std::vector<OpId>& ops);

}  // namespace lmc
