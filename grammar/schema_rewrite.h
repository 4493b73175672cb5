// Keywords whose meaning other keywords can say: what does not fit a schema, if and then, what depends on a
// member. Everything made here means exactly what it stands for, or is refused.
//
// Made schemas know words that no document may use: " is" and " not" with the number of a schema of the
// document (SchemaDocument::number_of), " no pattern", " none of" (strings), " not multiple of", and the type
// " fraction".
#pragma once

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "grammar/schema_document.h"

namespace lmc::grammar {

class SchemaRewrite {
 public:
  // `check` refuses what a schema may not have.
  SchemaRewrite(SchemaDocument& document, std::function<void(const Json&)> check)
      : doc_(document), check_(std::move(check)) {}

  // Whatever does not fit it. Always the same one for a schema.
  const Json& negation(const Json& schema);
  // What if, then and else say together; null if that is nothing. `asks`: the members and items that an if
  // names matter though it decides nothing.
  const Json* branches(const Json& schema, bool asks);
  // What dependentRequired and dependentSchemas say together; null if there are none.
  const Json* dependencies(const Json& schema);
  // oneOf, with the negation of all others beside each.
  const Json& exactly_one(const Json& schema);

 private:
  Json is(const Json& schema) { return {{" is", doc_.number_of(schema)}}; }
  Json is_not(const Json& schema) { return {{" not", doc_.number_of(schema)}}; }
  Json list_of(const Json& list, bool negated);
  Json negated_keyword(const Json& schema, const std::string& key, const Json& value);
  Json negated_values(const Json& schema, const Json& values);
  Json negated_items(const Json& schema, const Json& value);
  const Json& kept(const Json& schema, const char* what, const std::function<Json()>& make);

  SchemaDocument& doc_;
  std::function<void(const Json&)> check_;
  std::map<std::pair<const Json*, std::string>, const Json*> made_;
  std::map<const Json*, const Json*> negation_of_;  // of what a negation is one
};

}  // namespace lmc::grammar
