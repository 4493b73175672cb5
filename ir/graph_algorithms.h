// Graph work done by Boost.Graph (through ir/bgl.h), declared without it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// A directed graph as successor lists; node i's successors are dag[i].
using Successors = std::vector<std::vector<int>>;

// True if no path leaves `ops` and comes back: what a group must be.
bool is_convex(const Graph& g, std::span<const OpId> ops);

// The edges of a DAG that no longer path implies. Throws Error if there is a cycle.
Successors transitive_reduction(const Successors& dag);

// Colours so that neighbours differ; conflicts[i] lists i's neighbours (both directions). Greedy, in order of
// degree.
std::vector<int> greedy_colouring(const std::vector<std::vector<int>>& conflicts);

// The graph for Graphviz: ops as boxes with name and type, weights grey.
std::string to_dot(const Graph& g);

}  // namespace lmc
