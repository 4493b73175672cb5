// What people are shown of a graph that has many equal layers.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// Which part of a graph to show:
//   all        everything, exactly
//   collapsed  everything, of layers that are alike only the first
//   layer:N    layer N (of every series of layers, if there are several)
//   SCOPE      what lies in that scope: layers.0, layers.0.ffn, head
//   auto       layer:0, or all of a graph without layers
//
// The ops of it, in reading order. Throws Error, naming the parts there are, if there are none.
std::vector<OpId> ops_in_view(const Graph& g, const std::string& view);

// The IR of a view. All but `collapsed` read back: a part is a graph of its own, with what it reads as inputs
// and what is read of it as outputs. A comment above says what is left out.
std::string view_text(const Graph& g, const std::string& view);

}  // namespace lmc
