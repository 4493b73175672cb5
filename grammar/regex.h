// Regular expressions, a subset of ECMAScript's with the u flag: literals, escapes, classes, groups,
// alternatives, repetitions, ^ and $. What cannot be a finite automaton is refused by name, as are
// look-around, word borders, back-references, flags and \p.
#pragma once

#include <string>
#include <string_view>

#include "grammar/automaton.h"
#include "grammar/grammar.h"

namespace lmc::grammar {

enum class Match : uint8_t { whole, anywhere };

// Of the UTF-8 texts that match, deterministic or not. Error with `name`, line and column for what is not
// such an expression, and for one that takes too many states.
Automaton automaton_of_regex(std::string_view pattern, Match match, const std::string& name);
// A text matches as a whole, as if between ^ and $.
Grammar grammar_of_regex(std::string_view pattern, const std::string& name);

}  // namespace lmc::grammar
