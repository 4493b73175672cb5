// Graph as a Boost.Graph. Included by graph_algorithms.cpp only: nothing else sees Boost.
#pragma once

#include <boost/graph/adjacency_list.hpp>

#include "ir/graph.h"
#include "ir/graph_algorithms.h"

namespace lmc {

using BoostDag = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;
using BoostConflicts = boost::adjacency_list<boost::vecS, boost::vecS, boost::undirectedS>;

inline BoostDag to_boost(const Successors& dag) {
  BoostDag out(dag.size());
  for (size_t i = 0; i < dag.size(); ++i) {
    for (int j : dag[i]) boost::add_edge(i, static_cast<size_t>(j), out);
  }
  return out;
}

// Ops by id (erased ones are isolated nodes); an edge from the op that makes a value to each that reads it.
inline BoostDag to_boost(const Graph& g) {
  BoostDag out(g.num_op_ids());
  for (OpId id : g.ops()) {
    for (ValueId v : g.op(id).operands) {
      if (g.value(v).kind == ValueKind::result) boost::add_edge(g.value(v).def.v, id.v, out);
    }
  }
  return out;
}

}  // namespace lmc
