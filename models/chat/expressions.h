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
// f(…) with one more named argument: what a `call` block says.
Expression parse_call(TokenReader& in, const std::string& name, Expression value);
// a | b(…), without the value in front: what a `filter` block says.
using Link = std::function<Value(Scope&, const Value& on)>;
Link parse_filters(TokenReader& in);

}  // namespace lmc::chat
