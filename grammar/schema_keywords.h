// Reads the keywords of a schema, one after the other, into what they say about a value.
#pragma once

#include <set>

#include "grammar/schema_shape.h"
#include "grammar/schema_strings.h"

namespace lmc::grammar {

class SchemaKeywords {
 public:
  SchemaKeywords(SchemaDocument& document, SchemaStrings& strings) : doc_(document), strings_(strings) {}

  // Error naming the place of a keyword, an $id or a draft that is not supported.
  void check(const Json& schema);
  // Narrows the shape by what this schema says, but for enum and const.
  void read(Shape& shape, const Json& schema);
  // … by enum and const, once everything else is known.
  void keep_values(Shape& shape, const Json& schema);
  // Does a value of enum or const fit everything else? Of arrays and objects that cannot be told: Error.
  bool fits(const Shape& shape, const Json& value);

 private:
  void read_value(Shape& shape, const Json& schema);
  void read_array(Shape& shape, const Json& schema);
  void read_object(Shape& shape, const Json& schema);
  int32_t count(const Json& schema, const char* key);
  Bound bound(const Json& schema, const char* key, bool open);
  Decimal divisor(const Json& schema, const char* key);

  SchemaDocument& doc_;
  SchemaStrings& strings_;
  std::set<const Json*> checked_;
};

uint8_t type_of(const Json& value);  // its TypeBit

}  // namespace lmc::grammar
