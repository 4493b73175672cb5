// Structural verification: what every pass must leave true.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// One line per violation; empty if the graph is sound: use lists match operands, no cycle, no erased value in
// use, types as inferred, attributes as the op declares them, names unique, a text form that reads back,
// every kv cache appended to at most once, inputs of a step read as what they are.
std::vector<std::string> verify_messages(const Graph& g);

// Throws Error with the first violations if there are any.
void verify(const Graph& g);

}  // namespace lmc
