// Groups inlined into one flat graph, remembering which ops belonged together.
#pragma once

#include "ir/graph.h"

namespace lmc {

struct FlatGraph {
  Graph graph;  // op ids are an order in which they may run; the ops of a group are neighbours
  SideTable<OpId, int32_t> cluster;    // ops of one group share a number; every other op has its own
  SideTable<OpId, std::string> group;  // name of the group an op came from, or ""
};

// Ops come in an order in which they may run (ir/effects.h). Throws Error where there is none.
FlatGraph open_groups(const Graph& g);

}  // namespace lmc
