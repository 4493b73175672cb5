// JSON Schema, draft 2020-12, as a grammar of the JSON texts that it describes.
//
// Members come in the order in which `properties` has them, others behind them. What is not supported is
// refused by its name and place; nothing that restricts a value is ever passed over (annotations are).
#pragma once

#include <string>
#include <string_view>

#include "grammar/grammar.h"

namespace lmc::grammar {

// Error with `name` and the JSON pointer of what is no schema, of a keyword that is not supported, or of a
// schema that no value fits.
Grammar grammar_of_json_schema(std::string_view text, const std::string& name);
Grammar grammar_of_json_object();

}  // namespace lmc::grammar
