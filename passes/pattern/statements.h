// Statements of patterns and replacements before they are checked: read, and nested calls taken apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/op_def.h"
#include "ir/syntax.h"

namespace lmc {

// `linear(%x, transpose(%w))` becomes two statements joined by a value no text can name. `side` keeps the
// hidden values of a pattern apart from those of its replacement.
std::vector<syntax::Statement> read_statements(std::string_view text, const Location& at, char side);
bool is_hidden(const std::string& variable);  // made by taking a call apart

// The ops that "gelu_tanh|silu" stands for; a class (activation, elementwise, row, contraction, view, weight)
// stands for all its ops. Error at `at` for a name that is neither.
std::vector<const OpDef*> ops_named(const std::string& alternatives, const Location& at);

// Throws Error if no op of that name takes such operands and attributes.
void check_call_of(const OpDef& def, const syntax::Statement& s);

}  // namespace lmc
