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
#include "ir/printable.h"
#include "ir/reach.h"

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

namespace {

// Of the predecessors of each node, in ascending order, those that no longer path implies: an edge goes if
// its begin lies before another predecessor of its end.
Predecessors without_implied(const Predecessors& before) {
  Predecessors out(before.size());
  std::vector<int> nodes(before.size());
  std::iota(nodes.begin(), nodes.end(), 0);
  for_reached(before, nodes, [&](size_t first, const std::vector<ReachRow>& rows) {
    for (size_t to = first; to < rows.size(); ++to) {
      const std::vector<int>& all = before[to];
      const auto begin = std::lower_bound(all.begin(), all.end(), static_cast<int>(first));
      const auto end = std::lower_bound(begin, all.end(), static_cast<int>(first + kReachBlock));
      if (begin == end) continue;
      ReachRow implied;
      for (const int via : all) implied |= rows[static_cast<size_t>(via)];
      std::copy_if(begin, end, std::back_inserter(out[to]),
                   [&](int from) { return !implied[static_cast<size_t>(from) - first]; });
    }
  });
  return out;
}

}  // namespace

Successors transitive_reduction(const Successors& dag) {
  const BoostDag g = to_boost(dag);
  std::vector<size_t> order;  // Boost gives it backwards
  try {
    boost::topological_sort(g, std::back_inserter(order));
  } catch (const boost::not_a_dag&) {
    throw Error("the schedule has a cycle");
  }
  std::reverse(order.begin(), order.end());
  std::vector<size_t> rank(dag.size());
  for (size_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  Predecessors before(dag.size());  // by rank
  for (size_t i = 0; i < order.size(); ++i) {
    for (const int to : dag[order[i]]) {
      std::vector<int>& list = before[rank[static_cast<size_t>(to)]];
      if (list.empty() || list.back() != static_cast<int>(i)) list.push_back(static_cast<int>(i));
    }
  }
  const Predecessors kept = without_implied(before);
  Successors out(dag.size());
  for (size_t to = 0; to < kept.size(); ++to) {
    for (const int from : kept[to])
      out[order[static_cast<size_t>(from)]].push_back(static_cast<int>(order[to]));
  }
  for (std::vector<int>& list : out) std::sort(list.begin(), list.end());
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

namespace {

// Within quotes, where a backslash is no mark of Graphviz. Names of graphs that were not read from text may
// hold anything.
std::string dot_text(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' || c == '\t' ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string to_dot(const Graph& g) {
  // Weights are nodes of their own behind the ops.
  BoostDag dag = to_boost(g);
  std::vector<std::string> label(g.num_op_ids());
  std::vector<bool> live(g.num_op_ids(), false);
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    label[id.v] = dot_text(op.def->name);
    live[id.v] = true;
    for (ValueId r : op.results) label[id.v] += "\\n%" + dot_text(g.value(r).name) + " " + g.type(r).str();
  }
  const size_t first_weight = label.size();
  for (ValueId w : g.weights()) {
    const size_t node = boost::add_vertex(dag);
    label.push_back("@" + dot_text(g.value(w).name) + "\\n" + g.type(w).str());
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
