// Expressions of a template, by recursive descent.
#pragma once

#include "models/chat/program.h"
#include "models/chat/token_reader.h"

namespace lmc::chat {

// a if b else c, and all that binds stronger.
Expression parse_expression(TokenReader& in);
// The same without the inline if: what a `for` walks over.
Expression parse_condition(TokenReader& in);
// a, b: a list if there is a comma.
Expression parse_tuple(TokenReader& in);

}  // namespace lmc::chat
