// The text form: printing a graph and building one from text. print(parse(print(g))) == print(g), exactly.
#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"

namespace lmc {

// Error with file:line:column on malformed text, unknown op, wrong type, undefined or redefined name.
Graph parse_graph(std::string_view text, const std::string& file = "<text>");

struct PrintOptions {
  std::string only_scope;  // print just the ops whose scope starts with this ("" = all)
};
std::string print_graph(const Graph& g, const PrintOptions& options = {});
std::string print_op(const Graph& g, OpId op);  // one statement

}  // namespace lmc
