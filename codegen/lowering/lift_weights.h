// Ops on weights alone leave the groups that hold them: they run when compiling, not in a kernel.
#pragma once

#include "ir/graph.h"

namespace lmc {

//   group(%x, @w) { %t = transpose(%w)      →   %t = transpose(@w)
//                   %y = linear(%x, %t) }       group(%x, %t) { %y = linear(%x, %t) }
//
// Returns whether there were any.
bool lift_weights(Graph& g);

}  // namespace lmc
