// What became of fusions: an author asks for one kernel and should hear where it is none.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/lowered.h"

namespace lmc {

// A line for each kind of group of `g` that is more than one kernel in a step of one token (groups of one
// pass whose kernels read alike make one line), and one if the step cannot be lowered. `all`: of every pass,
// not only of those loaded from files.
std::vector<std::string> group_outcomes(const Graph& g, bool all);

// A line for each weight of the checkpoint that is packed more than once.
std::vector<std::string> stored_more_than_once(const Graph& model);

}  // namespace lmc
