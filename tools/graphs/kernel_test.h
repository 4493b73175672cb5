// Does a graph compile to kernels that compute what their groups mean? What bisect and reduce look for with
// --kernels.
#pragma once

#include <string>

#include "ir/graph.h"

namespace lmc {

// The first kernel of the graph's steps that does not, in words; "" if all do. Throws Error where the graph
// cannot be compiled.
std::string wrong_kernel(const Graph& g);

}  // namespace lmc
