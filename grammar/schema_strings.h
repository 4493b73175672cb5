// Which texts a string in a schema may be, as automata: patterns, formats, lengths and what is left out.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "grammar/schema_shape.h"

namespace lmc::grammar {

// Of a string's automaton, and of names of members.
inline constexpr size_t kMostSchemaStates = 20000;

class SchemaStrings {
 public:
  explicit SchemaStrings(SchemaDocument& document) : doc_(document) {}

  // What a string is made of: contents and lengths together, if there are contents.
  std::optional<Automaton> content(const Shape& shape);
  SharedAutomaton any_text();
  SharedAutomaton without(const Automaton& deterministic);  // all texts but these
  // Deterministic. Error at `of` for one that takes too many states.
  SharedAutomaton pattern(const Json& of, const std::string& text, bool whole);
  [[noreturn]] void too_large(const Shape& shape, const std::string& what) const;

 private:
  SchemaDocument& doc_;
  std::map<std::string, SharedAutomaton> patterns_;
};

}  // namespace lmc::grammar
