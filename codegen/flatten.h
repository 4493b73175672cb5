// Groups inlined into one flat graph, remembering which ops belonged together.
#pragma once

#include "ir/graph.h"

namespace lmc {

struct FlatGraph {
  Graph graph;                         // op ids are a topological order; the ops of a group are neighbours
  SideTable<OpId, int32_t> cluster;    // ops of one group share a number; every other op has its own
  SideTable<OpId, std::string> group;  // name of the group an op came from, or ""
};

FlatGraph flatten(const Graph& g);

}  // namespace lmc
