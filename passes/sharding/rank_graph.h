// One rank's part of what the pass `shard` has made.
#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace lmc {

// Of a graph of all ranks: what this one computes. Collectives have its own part as their operand, and its
// caches hold the heads that it reads. Graphs of different ranks have the same collectives in the same order.
Graph rank_graph(const Graph& all, int64_t rank);

}  // namespace lmc
