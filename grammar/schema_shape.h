// What several schemas that all hold of one value say together, keyword by keyword: of one way through their
// anyOf and oneOf.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/grammar.h"
#include "grammar/number_range.h"
#include "grammar/schema_document.h"
#include "grammar/schema_rewrite.h"

namespace lmc::grammar {

// All of these hold: in the order in which they were reached, each once; none: anything.
using Conjunction = std::vector<const Json*>;

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

class Shapes {
 public:
  explicit Shapes(SchemaDocument& document)
      : doc_(document), rewrite_(document, [this](const Json& schema) { check(schema); }) {}

  // Every way in which all of these may hold: a value fits if it fits one. None: no value does.
  std::vector<Shape> of(const Conjunction& all);

  // What holds of a value inside.
  Conjunction item(const Shape& shape, size_t index);
  size_t prefix_items(const Shape& shape);
  Conjunction member(const Shape& shape, const std::string& name);
  // … of a member that is not named, and whose name matches these of key_patterns.
  Conjunction other_member(const Shape& shape, const std::vector<bool>& matched);

  // Those of `all` and one more.
  Conjunction with(Conjunction all, const Json& schema) const;
  // What does not fit a schema.
  const Json& negation(const Json& schema) { return rewrite_.negation(schema); }
  // All that fit, if they are few and neither arrays nor objects.
  std::optional<std::vector<Json>> finite(const Conjunction& all);

  // Of the names of members; nothing: any.
  std::optional<Automaton> names(const Shape& shape);
  // What a string is made of: contents and lengths together, if there are contents.
  std::optional<Automaton> content(const Shape& shape);
  SharedAutomaton any_text();
  SharedAutomaton without(const Automaton& deterministic);  // all texts but these
  // Deterministic. Error at `of` for one that takes too many states.
  SharedAutomaton pattern(const Json& of, const std::string& text, bool whole);
  [[noreturn]] void too_large(const Shape& shape, const std::string& what);

 private:
  struct Way;
  using References = std::vector<std::pair<const Json*, const Json*>>;  // from one schema to another
  void expand(Way way, std::vector<Shape>& out);
  bool take(Way& way, const Json& schema, size_t via);
  void check(const Json& schema);
  Shape gather(const Conjunction& parts, const References& refers);
  void gather_one(Shape& shape, const Json& schema);
  void gather_array(Shape& shape, const Json& schema);
  void keep_values(Shape& shape, const Json& schema);
  bool fits(const Shape& shape, const Json& value);
  bool all_disjoint_of(const Way& way, const Json& owner);
  const Json& list_at(const Json& schema, const char* key);
  bool closes();
  void add_links(Way& way, const Json& schema, std::vector<std::pair<const Json*, size_t>>& todo, size_t own);
  bool disjoint(const Shape& a, const Shape& b, int depth);
  bool members_disjoint(const Shape& a, const Shape& b, int depth);
  bool all_disjoint(const std::vector<Shape>& a, const std::vector<Shape>& b, int depth);
  Conjunction member(const Shape& shape, const std::string* name, const std::vector<bool>& matched);
  int32_t count(const Json& schema, const char* key);
  Bound bound(const Json& schema, const char* key, bool open);
  Decimal divisor(const Json& schema, const char* key);
  Conjunction in_order(Conjunction c) const;
  void pay(const Json& at);

  SchemaDocument& doc_;
  SchemaRewrite rewrite_;
  std::optional<bool> closes_;  // does unevaluatedProperties or unevaluatedItems stand anywhere?
  std::set<const Json*> checked_;
  std::map<std::string, SharedAutomaton> patterns_;
  size_t work_ = 0;
};

Automaton automaton_of_texts(const std::vector<std::string>& texts);  // deterministic
bool accepts(const Automaton& deterministic, std::string_view text);

}  // namespace lmc::grammar
