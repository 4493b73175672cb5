// What a graph does with the inputs of a step: tokens, positions, rows, and caches that are appended to.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// One line per violation; looks into groups. An input called tokens, pos, out_rows or length must be read as
// that, and no cache be appended to twice at the same positions, the second time through what the first has
// made. `g` must be sound otherwise.
std::vector<std::string> step_messages(const Graph& g);

}  // namespace lmc
