// First half of planning: the ops of a flat graph cut into stages, before anything has a place in memory.
#pragma once

#include <vector>

#include "codegen/flatten.h"
#include "codegen/stage.h"

namespace lmc {

// Consecutive row ops form one stage (in a topological order that is always convex); a linear takes the
// elementwise ops of its own group that follow it as epilogue, and, in a step of one token (`single`), the
// row ops of its group in front of it as prologue; attention stands alone. Views and weight-only ops belong
// to no stage. Throws Error naming an op without kernel, or a group that holds two contractions.
std::vector<Stage> partition(const FlatGraph& flat, bool single);

}  // namespace lmc
