// The ways in which several schemas may hold of one value together, through their $ref, allOf, anyOf, oneOf,
// not and if, and what each says of the values inside.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "grammar/schema_keywords.h"
#include "grammar/schema_rewrite.h"
#include "grammar/schema_shape.h"
#include "grammar/schema_strings.h"

namespace lmc::grammar {

class Shapes {
 public:
  explicit Shapes(SchemaDocument& document)
      : doc_(document),
        strings_(document),
        keywords_(document, strings_),
        rewrite_(document, [this](const Json& schema) { keywords_.check(schema); }) {}

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
  SchemaStrings& strings() { return strings_; }

 private:
  struct Way;
  using References = std::vector<std::pair<const Json*, const Json*>>;  // from one schema to another
  void expand(Way way, std::vector<Shape>& out);
  bool take(Way& way, const Json& schema, size_t via);
  Shape gather(const Conjunction& parts, const References& refers);
  bool all_disjoint_of(const Way& way, const Json& owner);
  const Json& list_at(const Json& schema, const char* key);
  bool closes();
  void add_links(Way& way, const Json& schema, std::vector<std::pair<const Json*, size_t>>& todo, size_t own);
  bool disjoint(const Shape& a, const Shape& b, int depth);
  bool members_disjoint(const Shape& a, const Shape& b, int depth);
  bool all_disjoint(const std::vector<Shape>& a, const std::vector<Shape>& b, int depth);
  Conjunction member(const Shape& shape, const std::string* name, const std::vector<bool>& matched);
  void pay(const Json& at);

  SchemaDocument& doc_;
  SchemaStrings strings_;
  SchemaKeywords keywords_;
  SchemaRewrite rewrite_;
  std::optional<bool> closes_;  // does unevaluatedProperties or unevaluatedItems stand anywhere?
  size_t work_ = 0;
};

}  // namespace lmc::grammar
