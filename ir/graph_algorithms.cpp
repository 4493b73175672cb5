#include "ir/graph_algorithms.h"

#include <algorithm>
#include <boost/graph/breadth_first_search.hpp>
#include <boost/graph/graphviz.hpp>
#include <boost/graph/sequential_vertex_coloring.hpp>
#include <boost/graph/topological_sort.hpp>
#include <numeric>
#include <sstream>

#include "ir/bgl.h"
#include "ir/op_def.h"

namespace lmc {

bool is_convex(const Graph& g, std::span<const OpId> ops) {
  const BoostDag dag = to_boost(g);
  std::vector<char> inside(g.num_op_ids(), 0);
  for (OpId id : ops) inside[id.v] = 1;
  // Walk from everything that leaves the set; coming back means a path through the outside.
  std::vector<char> seen(g.num_op_ids(), 0);
  std::vector<size_t> pending;
  for (OpId id : ops) {
    for (auto [e, end] = boost::out_edges(id.v, dag); e != end; ++e) {
      const size_t to = boost::target(*e, dag);
      if (!inside[to] && !seen[to]) {
        seen[to] = 1;
        pending.push_back(to);
      }
    }
  }
  while (!pending.empty()) {
    const size_t at = pending.back();
    pending.pop_back();
    for (auto [e, end] = boost::out_edges(at, dag); e != end; ++e) {
      const size_t to = boost::target(*e, dag);
      if (inside[to]) return false;
      if (!seen[to]) {
        seen[to] = 1;
        pending.push_back(to);
      }
    }
  }
  return true;
}

Successors transitive_reduction(const Successors& dag) {
  const BoostDag g = to_boost(dag);
  std::vector<size_t> reversed;
  try {
    boost::topological_sort(g, std::back_inserter(reversed));
  } catch (const boost::not_a_dag&) {
    throw Error("the schedule has a cycle");
  }
  // Boost's own transitive_reduction needs a closure of the same size; with the order at hand one sweep does:
  // an edge stays if no successor taken before (nearest first) already reaches its end.
  std::vector<size_t> rank(dag.size());
  for (size_t i = 0; i < reversed.size(); ++i) rank[reversed[i]] = reversed.size() - i;
  std::vector<std::vector<bool>> reaches(dag.size(), std::vector<bool>(dag.size(), false));
  Successors out(dag.size());
  for (size_t at : reversed) {
    std::vector<int> next = dag[at];
    std::sort(next.begin(), next.end(),
              [&](int a, int b) { return rank[static_cast<size_t>(a)] < rank[static_cast<size_t>(b)]; });
    for (int to : next) {
      const auto t = static_cast<size_t>(to);
      if (reaches[at][t]) continue;
      out[at].push_back(to);
      reaches[at][t] = true;
      for (size_t k = 0; k < dag.size(); ++k) {
        if (reaches[t][k]) reaches[at][k] = true;
      }
    }
    std::sort(out[at].begin(), out[at].end());
  }
  return out;
}

std::vector<int> greedy_colouring(const std::vector<std::vector<int>>& conflicts) {
  BoostConflicts g(conflicts.size());
  for (size_t i = 0; i < conflicts.size(); ++i) {
    for (int j : conflicts[i]) {
      if (static_cast<size_t>(j) > i) boost::add_edge(i, static_cast<size_t>(j), g);
    }
  }
  std::vector<size_t> order(conflicts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return conflicts[a].size() > conflicts[b].size(); });
  std::vector<size_t> colour(conflicts.size(), 0);
  if (conflicts.empty()) return {};
  boost::sequential_vertex_coloring(
      g, boost::make_iterator_property_map(order.begin(), boost::identity_property_map(), order.front()),
      boost::make_iterator_property_map(colour.begin(), boost::get(boost::vertex_index, g), colour.front()));
  return {colour.begin(), colour.end()};
}

std::string to_dot(const Graph& g) {
  // Weights are nodes of their own behind the ops.
  BoostDag dag = to_boost(g);
  std::vector<std::string> label(g.num_op_ids());
  std::vector<bool> live(g.num_op_ids(), false);
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    label[id.v] = op.def->name;
    live[id.v] = true;
    for (ValueId r : op.results) label[id.v] += "\\n%" + g.value(r).name + " " + g.type(r).str();
  }
  const size_t first_weight = label.size();
  for (ValueId w : g.weights()) {
    const size_t node = boost::add_vertex(dag);
    label.push_back("@" + g.value(w).name + "\\n" + g.type(w).str());
    live.push_back(true);
    for (const Use& u : g.value(w).uses) boost::add_edge(node, u.op.v, dag);
  }
  std::ostringstream out;
  boost::write_graphviz(out, dag, [&](std::ostream& o, size_t v) {
    if (!live[v]) {
      o << "[style=invis]";
    } else {
      o << "[shape=box,label=\"" << label[v] << "\""
        << (v >= first_weight ? ",style=filled,fillcolor=lightgrey" : "") << "]";
    }
  });
  return out.str();
}

}  // namespace lmc
