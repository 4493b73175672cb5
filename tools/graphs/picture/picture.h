// A graph, or a part of it, as boxes and arrows.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "tools/graphs/picture/layout.h"

namespace lmc {

struct PictureBox {
  OpId op;        // invalid for an input or output
  ValueId value;  // of an input or output
  std::string title;
  std::vector<std::string> lines;
};

struct Picture {
  Layout layout;  // a node for every box
  std::vector<PictureBox> boxes;
  std::vector<std::string> edge_types;  // of each edge: the value it carries, with its type
};

// Draws these ops: what comes from outside and what leaves are boxes of their own. Weights, and ops that work
// on weights alone, are not drawn but written into the box that reads them.
Picture picture_of(const Graph& g, const std::vector<OpId>& ops);

// How a box looks: "box contraction", "box attention", "box group", "box" or "pill".
const char* box_class(const Graph& g, const PictureBox& b);

// The picture as one SVG file, for light and dark backgrounds.
std::string svg_text(const Graph& g, const Picture& p);

}  // namespace lmc
