// What became of fusions: an author asks for one kernel and should hear where it is none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/error.h"
#include "ir/graph.h"
#include "ir/lowered.h"

namespace lmc {

struct GroupOutcomes {
  // For each kind of group that is more than one kernel in a step of one token; groups of one pass whose
  // kernels read alike make one line.
  std::vector<std::string> several;
  // The step can be lowered without the groups of a pass that came with --pass or --load-pass, and cannot
  // with them: the reason, at the place of that pass.
  std::optional<Error> impossible;
};

// `all`: of every pass, not only of those loaded from files.
GroupOutcomes group_outcomes(const Graph& g, bool all);

// A line for each weight of the checkpoint that is packed more than once.
std::vector<std::string> stored_more_than_once(const Graph& model);

}  // namespace lmc
