// A part of a graph as a graph of its own.
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"

namespace lmc {

struct Extract {
  Graph graph;
  std::vector<OpId> source;  // of each op of `graph`, by id: the op it copies
};

// The ops, in this order (each behind those it reads), with what they need of weights. What they read from
// elsewhere becomes inputs, what others read or the graph returns becomes outputs. Names are kept.
Extract extract(const Graph& g, std::span<const OpId> ops);

}  // namespace lmc
