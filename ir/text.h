// The text form: printing a graph and building one from text. print(parse(print(g))) == print(g), exactly.
#pragma once

#include <string>
#include <string_view>

#include "ir/graph.h"

namespace lmc {

// Error with file:line:column on malformed text, unknown op, wrong type, undefined or redefined name.
Graph parse_graph(std::string_view text, const std::string& file = "<text>");
Graph parse_graph(std::string_view text, const Location& at);  // where the text begins

std::string print_graph(const Graph& g);
std::string print_op(const Graph& g, OpId op);  // one statement
std::string attrs_text(const Op& op);           // "eps=1e-06, offset=1": without those left at their default

}  // namespace lmc
