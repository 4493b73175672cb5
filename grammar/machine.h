// A grammar as automata that call one another: a pushdown automaton, without what leads nowhere. Immutable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/grammar.h"

namespace lmc::grammar {

// What may be called: a unit, so many times in a row.
struct Symbol {
  uint32_t unit = 0;
  int32_t least = 1, most = 1;  // kUnbounded
  bool counted = false;         // false: once, and no count is kept
};

struct Machine {
  // Error for a grammar that calls itself before it has read anything, has no text at all or is too large;
  // it names the rule.
  explicit Machine(const Grammar& grammar);

  Automaton automaton;           // all units side by side; state 0 is an end and nothing else
  std::vector<uint32_t> starts;  // by unit, a state; the root's is the first
  std::vector<Symbol> symbols;
  std::vector<char> only_end;  // by state: an end with no way on
  ByteClasses classes;
  bool counts = false;  // is any symbol counted?
};

}  // namespace lmc::grammar
