// A layered drawing of a directed graph (after Sugiyama): every edge goes down, few of them cross, long ones
// run straight. Knows nothing of ops.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lmc {

struct LayoutNode {
  double width = 0, height = 0;
  bool source = false;  // stands right above what it feeds, such as an input
  double x = 0, y = 0;  // filled in: the upper left corner
};

struct LayoutEdge {
  size_t from = 0, to = 0;
  std::string path;  // filled in: an SVG path from the lower side of `from` to the upper side of `to`
};

struct Layout {
  std::vector<LayoutNode> nodes;
  std::vector<LayoutEdge> edges;
  double width = 0, height = 0;  // filled in
};

// ReadingOrder nodes and edges, in pixels. Edges of a circle are ignored where they close it.
void place(Layout& layout);

}  // namespace lmc
