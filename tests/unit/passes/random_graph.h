// Random well-typed graphs over the whole op table, dense in what passes look for. The same seed gives the
// same graph on every machine.
#pragma once

#include "ir/graph.h"

namespace lmc {

Graph random_graph(unsigned seed);

}  // namespace lmc
