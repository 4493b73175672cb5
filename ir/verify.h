// Structural verification: what every pass must leave true.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// One line per violation; empty if the graph is sound: use lists match operands, no cycle, no erased value in
// use, types as inferred, names unique, every kv cache appended to at most once.
std::vector<std::string> verify_messages(const Graph& g);

// Throws Error with the first violations if there are any.
void verify(const Graph& g);

}  // namespace lmc
