// llama.cpp's grammar language, GBNF (grammars/README.md there): rules of literals, character classes,
// groups, alternatives and repetitions; the text is what `root` says.
#pragma once

#include <string>
#include <string_view>

#include "grammar/grammar.h"

namespace lmc::grammar {

// Most turns of {m,n} and most bytes of a grammar's text.
inline constexpr int32_t kMostTurns = 100000;
inline constexpr size_t kMostGrammarBytes = size_t{1} << 20;

// Error with `name`, line and column for what is no GBNF, a rule that is used but not defined and one that is
// defined twice.
Grammar grammar_of_gbnf(std::string_view text, const std::string& name);

}  // namespace lmc::grammar
