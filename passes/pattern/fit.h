// May this op stand for this statement? Asked before any variable is bound.
#pragma once

#include <string>

#include "passes/pattern/match.h"

namespace lmc {

bool attr_equal(const Attr& a, const Attr& b);  // an integer equals the same real

// "role is other, not attn_k", or "" if every constant attribute of the statement is the op's.
std::string constants_differ(const PatternStatement& s, const Op& op);

// "it has 3 operands", or "" if operands and results agree in number.
std::string counts_differ(const PatternStatement& s, const Op& op, bool open);

}  // namespace lmc
