// Values seen through views: which value owns the memory, and where in its row they lie.
#pragma once

#include "ir/graph.h"

namespace lmc {

// How many elements into the owner's row the value starts, and how many lie between its sub-rows if they are
// parts of longer ones (0: they lie side by side).
struct ViewRoot {
  ValueId value;
  int64_t element = 0;
  int64_t sub_row = 0;
};

// Error naming a view that no kernel can follow.
ViewRoot view_root(const Graph& g, ValueId v);

}  // namespace lmc
