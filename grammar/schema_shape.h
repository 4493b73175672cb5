// What several schemas that all hold of one value say together, keyword by keyword: of one way through their
// anyOf and oneOf.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/grammar.h"
#include "grammar/number_range.h"
#include "grammar/schema_document.h"

namespace lmc::grammar {

// All of these hold: in the order in which they were reached, each once; none: anything.
using Conjunction = std::vector<const Json*>;
Conjunction in_order(const SchemaDocument& document, Conjunction all);

enum TypeBit : uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kFraction = 8,
  kString = 16,
  kArray = 32,
  kObject = 64
};
inline constexpr uint8_t kEveryType = 127;

using SharedAutomaton = std::shared_ptr<const Automaton>;

// What `contains` asks for: at least and at most so many items that fit.
struct Contained {
  const Json* what = nullptr;
  int32_t least = 1, most = kUnbounded;
};

struct Shape {
  uint8_t types = kEveryType;
  std::optional<std::vector<const Json*>> values;  // of enum and const, those that everything else allows
  NumberRange numbers;
  int32_t min_length = 0, max_length = kUnbounded;
  std::vector<SharedAutomaton> contents;  // of strings; deterministic
  int32_t min_items = 0, max_items = kUnbounded;
  int32_t min_properties = 0, max_properties = kUnbounded;
  std::vector<std::string> members;  // that are named, in order
  std::set<std::string> required;
  std::vector<SharedAutomaton> key_patterns;  // of patternProperties
  Conjunction names;                          // propertyNames
  std::vector<Contained> contained;
  bool unique_items = false;
  // Schemas with unevaluatedProperties or unevaluatedItems, and what each refers to, itself too.
  std::vector<std::pair<const Json*, Conjunction>> closed;
  Conjunction parts;  // the schemas themselves
};

}  // namespace lmc::grammar
