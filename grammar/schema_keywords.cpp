#include "grammar/schema_keywords.h"

#include <algorithm>
#include <map>
#include <utility>

#include "grammar/string_formats.h"

namespace lmc::grammar {
namespace {

constexpr int32_t kMostCount = 1000000000;

// Keywords that say nothing about which values are valid.
const std::set<std::string_view> kAnnotations = {
    "$schema",     "$id",       "$anchor",         "$dynamicAnchor",   "$comment",     "$defs",
    "definitions", "title",     "description",     "default",          "examples",     "deprecated",
    "readOnly",    "writeOnly", "contentEncoding", "contentMediaType", "contentSchema"};
const std::set<std::string_view> kKeywords = {"$ref",
                                              "$dynamicRef",
                                              "not",
                                              "if",
                                              "then",
                                              "else",
                                              "dependentRequired",
                                              "dependentSchemas",
                                              "multipleOf",
                                              "contains",
                                              "minContains",
                                              "maxContains",
                                              "uniqueItems",
                                              "propertyNames",
                                              "unevaluatedItems",
                                              "unevaluatedProperties",
                                              "allOf",
                                              "anyOf",
                                              "oneOf",
                                              "type",
                                              "enum",
                                              "const",
                                              "minimum",
                                              "maximum",
                                              "exclusiveMinimum",
                                              "exclusiveMaximum",
                                              "minLength",
                                              "maxLength",
                                              "pattern",
                                              "format",
                                              "prefixItems",
                                              "items",
                                              "minItems",
                                              "maxItems",
                                              "properties",
                                              "required",
                                              "additionalProperties",
                                              "patternProperties",
                                              "minProperties",
                                              "maxProperties"};

uint8_t bits_of(const std::string& type) {
  static const std::map<std::string_view, uint8_t> table = {
      {"null", kNull},     {"boolean", kBoolean}, {"integer", kInteger}, {"number", kInteger | kFraction},
      {"string", kString}, {"array", kArray},     {"object", kObject},   {" fraction", kFraction}};
  const auto it = table.find(type);
  return it == table.end() ? uint8_t{0} : it->second;
}

int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; });
}

}  // namespace

uint8_t type_of(const Json& value) {
  if (value.is_null()) return kNull;
  if (value.is_boolean()) return kBoolean;
  if (value.is_string()) return kString;
  if (value.is_array()) return kArray;
  if (value.is_object()) return kObject;
  const auto d = Decimal::of(value.dump());
  return d && d->is_integer() ? kInteger : kFraction;
}

void SchemaKeywords::check(const Json& schema) {
  if (!checked_.insert(&schema).second) return;
  if (!schema.is_object()) doc_.refuse(schema, "a schema is an object, true or false");
  if (doc_.is_made(schema)) return;
  for (const auto& [key, value] : schema.items()) {
    if (key == "$id" && &schema != &doc_.root())
      doc_.refuse(schema, key, "an $id within a document is not supported");
    if (!kAnnotations.contains(key) && !kKeywords.contains(key))
      doc_.refuse(schema, key, "the keyword " + key + " is not supported");
  }
  if (!schema.contains("$schema")) return;
  const std::string draft =
      schema["$schema"].is_string() ? schema["$schema"].get<std::string>() : schema["$schema"].dump();
  if (draft.find("json-schema.org/draft/2020-12/") == std::string::npos &&
      draft.find("json-schema.org/draft/2019-09/") == std::string::npos &&
      draft.find("json-schema.org/draft-07/") == std::string::npos)
    doc_.refuse(schema, "$schema", "must be draft 2020-12 (or 2019-09 or 07, read as that)");
}

void SchemaKeywords::read(Shape& s, const Json& schema) {
  read_value(s, schema);
  read_array(s, schema);
  read_object(s, schema);
}

int32_t SchemaKeywords::count(const Json& schema, const char* key) {
  const Json& value = schema[key];
  const auto d = value.is_number() ? Decimal::of(value.dump()) : std::nullopt;
  if (!d || !d->is_integer() || d->negative) doc_.refuse(schema, key, "must be an integer from 0 on");
  if (d->integer.size() > 10 || std::stoll(d->integer) > kMostCount)
    doc_.refuse(schema, key, "may be " + std::to_string(kMostCount) + " at most");
  return static_cast<int32_t>(std::stoll(d->integer));
}

Bound SchemaKeywords::bound(const Json& schema, const char* key, bool open) {
  const Json& value = schema[key];
  if (!value.is_number()) doc_.refuse(schema, key, "must be a number");
  const auto d = Decimal::of(value.dump());
  if (!d) doc_.refuse(schema, key, "has more digits than are supported");
  return {*d, open};
}

Decimal SchemaKeywords::divisor(const Json& schema, const char* key) {
  const Decimal out = bound(schema, key, false).at;
  if (out.negative || out == Decimal{}) doc_.refuse(schema, key, "must be a number above 0");
  if ((out.integer == "0" ? 0 : out.integer.size()) + out.fraction.size() > 8)
    doc_.refuse(schema, key, "has more digits than are supported");
  return out;
}

void SchemaKeywords::read_array(Shape& s, const Json& schema) {
  if (schema.contains("prefixItems")) {
    const Json& list = doc_.member(schema, "prefixItems");
    if (!list.is_array() || list.empty()) doc_.refuse(list, "must be a list of schemas, not empty");
  }
  if (schema.contains("items") && schema["items"].is_array())
    doc_.refuse(schema, "items", "is a list as in earlier drafts: since 2020-12 that is prefixItems");
  if (schema.contains("uniqueItems")) {
    if (!schema["uniqueItems"].is_boolean()) doc_.refuse(schema, "uniqueItems", "must be true or false");
    s.unique_items |= schema["uniqueItems"].get<bool>();
  }
  if (!schema.contains("contains")) return;
  Contained one{&doc_.member(schema, "contains")};
  if (schema.contains("minContains")) one.least = count(schema, "minContains");
  if (schema.contains("maxContains")) one.most = count(schema, "maxContains");
  if (one.least > 0 || one.most != kUnbounded) s.contained.push_back(one);
}

void SchemaKeywords::read_value(Shape& s, const Json& schema) {
  const auto has = [&](const char* key) { return schema.contains(key); };
  const auto lower_of = [](int32_t a, int32_t b) { return a == kUnbounded ? b : std::min(a, b); };
  if (has("type")) {
    const Json& type = doc_.member(schema, "type");
    uint8_t bits = 0;
    for (const Json& one : type.is_array() ? type : Json::array({type})) {
      const bool known = one.is_string() && (doc_.is_made(schema) || one != " fraction");
      const uint8_t bit = known ? bits_of(one.get<std::string>()) : uint8_t{0};
      if (bit == 0) doc_.refuse(type, "there is no type " + one.dump());
      bits |= bit;
    }
    s.types &= bits;
  }
  if (has("minimum")) s.numbers.raise(bound(schema, "minimum", false));
  if (has("exclusiveMinimum")) s.numbers.raise(bound(schema, "exclusiveMinimum", true));
  if (has("maximum")) s.numbers.lower(bound(schema, "maximum", false));
  if (has("exclusiveMaximum")) s.numbers.lower(bound(schema, "exclusiveMaximum", true));
  if (has("multipleOf")) s.numbers.multiples_of.push_back(divisor(schema, "multipleOf"));
  if (has(" not multiple of")) s.numbers.no_multiples_of.push_back(divisor(schema, " not multiple of"));
  if (has("minLength")) s.min_length = std::max(s.min_length, count(schema, "minLength"));
  if (has("maxLength")) s.max_length = lower_of(s.max_length, count(schema, "maxLength"));
  if (has("minItems")) s.min_items = std::max(s.min_items, count(schema, "minItems"));
  if (has("maxItems")) s.max_items = lower_of(s.max_items, count(schema, "maxItems"));
  if (has("minProperties")) s.min_properties = std::max(s.min_properties, count(schema, "minProperties"));
  if (has("maxProperties")) s.max_properties = lower_of(s.max_properties, count(schema, "maxProperties"));
  if (has("pattern")) {
    const Json& text = doc_.member(schema, "pattern");
    if (!text.is_string()) doc_.refuse(text, "must be a string");
    s.contents.push_back(strings_.pattern(text, text.get<std::string>(), false));
  }
  if (has(" no pattern")) {
    const Json& text = schema[" no pattern"];
    if (!text.is_string()) doc_.refuse(schema, "the pattern must be a string");
    s.contents.push_back(strings_.without(*strings_.pattern(schema, text.get<std::string>(), false)));
  }
  if (has(" none of")) {
    std::vector<std::string> texts;
    for (const Json& text : schema[" none of"]) texts.push_back(text.get<std::string>());
    s.contents.push_back(strings_.without(automaton_of_texts(texts)));
  }
  if (has("format")) {
    const Json& format = doc_.member(schema, "format");
    const auto regex = format.is_string() ? regex_of_format(format.get<std::string>()) : std::nullopt;
    if (!regex)
      doc_.refuse(format, "the format " + format.dump() + " is not supported; these are: " + known_formats());
    s.contents.push_back(strings_.pattern(format, *regex, true));
  }
}

void SchemaKeywords::read_object(Shape& s, const Json& schema) {
  const auto has = [&](const char* key) { return schema.contains(key); };
  if (has("propertyNames")) {
    s.names.push_back(&doc_.member(schema, "propertyNames"));
    s.names = in_order(doc_, std::move(s.names));
  }
  if (has("properties")) {
    const Json& members = doc_.member(schema, "properties");
    if (!members.is_object()) doc_.refuse(members, "must be an object");
    for (const auto& [name, of] : members.items()) {
      if (std::find(s.members.begin(), s.members.end(), name) == s.members.end()) s.members.push_back(name);
    }
  }
  if (has("patternProperties")) {
    const Json& patterns = doc_.member(schema, "patternProperties");
    if (!patterns.is_object()) doc_.refuse(patterns, "must be an object");
    for (const auto& [text, of] : patterns.items())
      s.key_patterns.push_back(strings_.pattern(patterns, text, false));
    constexpr size_t kMostPatterns = 6;
    if (s.key_patterns.size() > kMostPatterns)
      doc_.refuse(patterns, "more than " + std::to_string(kMostPatterns) + " patterns are not supported");
  }
  if (has("required")) {
    const Json& names = doc_.member(schema, "required");
    if (!names.is_array()) doc_.refuse(names, "must be a list of names");
    for (const Json& name : names) {
      if (!name.is_string()) doc_.refuse(names, "must be a list of names");
      s.required.insert(name.get<std::string>());
    }
  }
}

void SchemaKeywords::keep_values(Shape& s, const Json& schema) {
  const auto narrow = [&](std::vector<const Json*> values) {
    std::vector<const Json*> kept;
    for (const Json* v : values) {
      const bool known = !s.values || std::any_of(s.values->begin(), s.values->end(),
                                                  [&](const Json* o) { return *o == *v; });
      const bool twice = std::any_of(kept.begin(), kept.end(), [&](const Json* o) { return *o == *v; });
      if (known && !twice && fits(s, *v)) kept.push_back(v);
    }
    s.values = std::move(kept);
  };
  if (schema.contains("const")) narrow({&schema["const"]});
  if (!schema.contains("enum")) return;
  const Json& list = doc_.member(schema, "enum");
  if (!list.is_array()) doc_.refuse(list, "must be a list of values");
  constexpr size_t kMostValues = 5000;
  if (list.size() > kMostValues)
    doc_.refuse(list, "may have " + std::to_string(kMostValues) + " values at most");
  std::vector<const Json*> values;
  for (const Json& v : list) values.push_back(&v);
  narrow(std::move(values));
}

bool SchemaKeywords::fits(const Shape& s, const Json& value) {
  const uint8_t bits = type_of(value);
  if (!(s.types & bits)) return false;
  if (bits & (kInteger | kFraction)) {
    const auto d = Decimal::of(value.dump());
    return !d || s.numbers.contains(*d);
  }
  if (bits == kString) {
    const std::string text = value.get<std::string>();
    const int64_t n = characters(text);
    return n >= s.min_length && (s.max_length == kUnbounded || n <= s.max_length) &&
           std::all_of(s.contents.begin(), s.contents.end(),
                       [&](const auto& a) { return accepts(*a, text); });
  }
  if (bits != kArray && bits != kObject) return true;
  for (const Json* part : s.parts) {
    for (const char* key :
         {"prefixItems", "items", "minItems", "maxItems", "contains", "uniqueItems", "unevaluatedItems"}) {
      if (bits == kArray && part->contains(key))
        doc_.refuse(*part, key, "beside an array in enum or const is not supported");
    }
    for (const char* key : {"properties", "required", "additionalProperties", "patternProperties",
                            "minProperties", "maxProperties", "propertyNames", "unevaluatedProperties"}) {
      if (bits == kObject && part->contains(key))
        doc_.refuse(*part, key, "beside an object in enum or const is not supported");
    }
  }
  return true;
}

}  // namespace lmc::grammar
