#include "grammar/schema_rewrite.h"

#include <algorithm>
#include <set>
#include <string>

namespace lmc::grammar {
namespace {

const std::string_view kTypes[] = {"null", "boolean", "string", "array", "object", "integer", " fraction"};

// All types but these.
Json other_types(const std::set<std::string>& types) {
  Json out = Json::array();
  for (const std::string_view type : kTypes) {
    const bool number = (type == " fraction" || type == "integer") && types.contains("number");
    if (!types.contains(std::string(type)) && !number) out.push_back(type);
  }
  return out;
}

Json any_of(Json ways) { return ways.empty() ? Json(false) : Json{{"anyOf", std::move(ways)}}; }

}  // namespace

const Json& SchemaRewrite::kept(const Json& schema, const char* what, const std::function<Json()>& make) {
  const auto [it, added] = made_.try_emplace({&schema, what}, nullptr);
  if (added) it->second = &doc_.make(make(), schema);
  return *it->second;
}

Json SchemaRewrite::list_of(const Json& list, bool negated) {
  Json out = Json::array();
  if (!list.is_array() || list.empty()) doc_.refuse(list, "must be a list of schemas, not empty");
  for (size_t i = 0; i < list.size(); ++i)
    out.push_back(negated ? is_not(doc_.item(list, i)) : is(doc_.item(list, i)));
  return out;
}

const Json& SchemaRewrite::negation(const Json& schema) {
  if (const auto it = negation_of_.find(&schema); it != negation_of_.end()) return *it->second;
  const Json& out = kept(schema, "not", [&] {
    if (schema.is_boolean()) return Json(!schema.get<bool>());
    check_(schema);
    Json ways = Json::array();
    for (const auto& [key, value] : schema.items()) {
      const Json way = negated_keyword(schema, key, value);
      if (!way.is_boolean()) ways.push_back(way);
    }
    return any_of(std::move(ways));
  });
  negation_of_.emplace(&out, &schema);
  return out;
}

// What one keyword does not let through; false if it lets everything through.
Json SchemaRewrite::negated_keyword(const Json& schema, const std::string& key, const Json& value) {
  const auto typed = [](const char* type, const char* keyword, Json of) {
    return Json{{"type", type}, {keyword, std::move(of)}};
  };
  static const std::set<std::string_view> kNothing = {
      "$schema",  "$id",         "$anchor",         "$dynamicAnchor",   "$comment",      "$defs",
      "title",    "definitions", "default",         "description",      "examples",      "deprecated",
      "readOnly", "writeOnly",   "contentEncoding", "contentMediaType", "contentSchema", "then",
      "else",     "minContains", "maxContains"};
  if (kNothing.contains(key)) return false;
  if (key == "type") {
    std::set<std::string> types;
    for (const Json& t : value.is_array() ? value : Json::array({value})) {
      const std::string name = t.is_string() ? t.get<std::string>() : "";
      if (name != "number" &&
          (name == " fraction" || std::count(std::begin(kTypes), std::end(kTypes), name) == 0))
        doc_.refuse(schema, key, "there is no type " + t.dump());
      types.insert(name);
    }
    return {{"type", other_types(types)}};
  }
  if (key == "const") return negated_values(schema, Json::array({value}));
  if (key == "enum") return negated_values(schema, value);
  if (key == "minimum") return typed("number", "exclusiveMaximum", value);
  if (key == "maximum") return typed("number", "exclusiveMinimum", value);
  if (key == "exclusiveMinimum") return typed("number", "maximum", value);
  if (key == "exclusiveMaximum") return typed("number", "minimum", value);
  if (key == "multipleOf") return typed("number", " not multiple of", value);
  if (key == "pattern") return typed("string", " no pattern", value);
  static const std::map<std::string_view, std::pair<const char*, const char*>> kLeast = {
      {"minLength", {"string", "maxLength"}},
      {"minItems", {"array", "maxItems"}},
      {"minProperties", {"object", "maxProperties"}}};
  static const std::map<std::string_view, std::pair<const char*, const char*>> kMost = {
      {"maxLength", {"string", "minLength"}},
      {"maxItems", {"array", "minItems"}},
      {"maxProperties", {"object", "minProperties"}}};
  const bool is_count =
      value.is_number() && value >= 0 && value <= 1000000000 && value == value.get<int64_t>();
  if (const auto it = kLeast.find(key); it != kLeast.end() && is_count)
    return value < 1 ? Json(false) : typed(it->second.first, it->second.second, value.get<int64_t>() - 1);
  if (const auto it = kMost.find(key); it != kMost.end() && is_count)
    return typed(it->second.first, it->second.second, value.get<int64_t>() + 1);
  const auto is_names = [](const Json& list) {
    return list.is_array() &&
           std::all_of(list.begin(), list.end(), [](const Json& name) { return name.is_string(); });
  };
  if (key == "required" && is_names(value)) {
    Json ways = Json::array();
    for (const Json& name : value)
      ways.push_back(typed("object", "properties", {{name.get<std::string>(), false}}));
    return ways.empty() ? Json(false) : any_of(ways);
  }
  if (key == "properties" && value.is_object()) {
    Json ways = Json::array();
    const Json& members = doc_.member(schema, key);
    for (const auto& [name, of] : value.items()) {
      ways.push_back({{"type", "object"},
                      {"required", Json::array({name})},
                      {"properties", {{name, is_not(doc_.member(members, name))}}}});
    }
    return ways.empty() ? Json(false) : any_of(ways);
  }
  if (key == "prefixItems" || key == "items" || key == "contains") {
    const Json out = negated_items(schema, doc_.member(schema, key));
    if (!out.is_null()) return out;
  }
  if (key == "allOf") return any_of(list_of(doc_.member(schema, key), true));
  if (key == "anyOf") return {{"allOf", list_of(doc_.member(schema, key), true)}};
  if (key == "oneOf") {
    const Json& list = doc_.member(schema, key);
    Json ways = Json::array({{{"allOf", list_of(list, true)}}});
    for (size_t i = 0; i < list.size(); ++i) {
      for (size_t j = 0; j < i; ++j)
        ways.push_back({{"allOf", {is(doc_.item(list, i)), is(doc_.item(list, j))}}});
    }
    return any_of(ways);
  }
  if (key == "not") return is(doc_.member(schema, key));
  if (key == "$ref" || key == "$dynamicRef") return is_not(doc_.target(schema, key.c_str()));
  if (key == "if") {
    const Json* all = branches(schema, false);
    if (!all) return false;
    const Json& condition = doc_.member(schema, "if");
    Json ways = Json::array();
    if (schema.contains("then"))
      ways.push_back({{"allOf", {is(condition), is_not(doc_.member(schema, "then"))}}});
    if (schema.contains("else"))
      ways.push_back({{"allOf", {is_not(condition), is_not(doc_.member(schema, "else"))}}});
    return any_of(ways);
  }
  if (key == "dependentRequired" && value.is_object() && std::all_of(value.begin(), value.end(), is_names)) {
    Json ways = Json::array();
    for (const auto& [name, others] : value.items()) {
      for (const Json& other : others) {
        ways.push_back({{"type", "object"},
                        {"required", Json::array({name})},
                        {"properties", {{other.get<std::string>(), false}}}});
      }
    }
    return ways.empty() ? Json(false) : any_of(ways);
  }
  if (key == "dependentSchemas" && value.is_object()) {
    Json ways = Json::array();
    const Json& schemas = doc_.member(schema, key);
    for (const auto& [name, of] : value.items()) {
      Json way = is_not(doc_.member(schemas, name));
      way["type"] = "object";
      way["required"] = Json::array({name});
      ways.push_back(std::move(way));
    }
    return ways.empty() ? Json(false) : any_of(ways);
  }
  const bool says_nothing = value == true || value == Json::object();
  static const std::set<std::string_view> kSchemas = {"additionalProperties", "propertyNames",
                                                      "unevaluatedItems", "unevaluatedProperties"};
  if ((kSchemas.contains(key) && says_nothing) || (key == "uniqueItems" && value == false) ||
      (key == "patternProperties" && value == Json::object()))
    return false;
  doc_.refuse(
      schema, key,
      "what does not fit it (by not, if, contains or a oneOf whose schemas overlap) is not supported");
}

// Null if there is no way to say it.
Json SchemaRewrite::negated_items(const Json& schema, const Json& value) {
  if (schema.contains("prefixItems") && &value == &schema["prefixItems"]) {
    Json ways = Json::array(), before = Json::array();
    if (!value.is_array()) return nullptr;
    for (size_t i = 0; i < value.size(); ++i) {
      Json items = before;
      items.push_back(is_not(doc_.item(value, i)));
      ways.push_back({{"type", "array"}, {"minItems", i + 1}, {"prefixItems", std::move(items)}});
      before.push_back(true);
    }
    return any_of(ways);
  }
  if (schema.contains("items") && &value == &schema["items"]) {
    if (value == true || value == Json::object()) return false;
    if (schema.contains("prefixItems")) return nullptr;
    if (value == false) return {{"type", "array"}, {"minItems", 1}};
    return {{"type", "array"}, {"contains", is_not(value)}};
  }
  const auto count = [&](const char* key, int64_t otherwise) {
    if (!schema.contains(key)) return otherwise;
    const Json& n = schema[key];
    if (!n.is_number() || n < 0 || n > 1000000000) doc_.refuse(schema, key, "must be an integer from 0 on");
    return n.get<int64_t>();
  };
  const int64_t least = count("minContains", 1), most = count("maxContains", -1);
  Json ways = Json::array();
  if (least == 1) {
    ways.push_back({{"type", "array"}, {"items", is_not(value)}});
  } else if (least > 1) {
    ways.push_back(
        {{"type", "array"}, {"contains", is(value)}, {"minContains", 0}, {"maxContains", least - 1}});
  }
  if (most >= 0) ways.push_back({{"type", "array"}, {"contains", is(value)}, {"minContains", most + 1}});
  return ways.empty() ? Json(false) : any_of(ways);
}

Json SchemaRewrite::negated_values(const Json& schema, const Json& values) {
  std::set<std::string> types;  // of these
  Json strings = Json::array();
  std::vector<Json> numbers;
  bool truth[2] = {};
  if (!values.is_array()) doc_.refuse(schema, "enum", "must be a list of values");
  for (const Json& v : values) {
    if (v.is_structured())
      doc_.refuse(schema, schema.contains("enum") ? "enum" : "const",
                  "what is no such array or object (by not, if, contains or a oneOf whose schemas overlap) "
                  "is not supported");
    types.insert(v.type_name());
    if (v.is_string()) strings.push_back(v);
    if (v.is_number()) numbers.push_back(v);
    if (v.is_boolean()) truth[v.get<bool>() ? 1 : 0] = true;
  }
  Json ways = Json::array({{{"type", other_types(types)}}});
  if (!strings.empty()) ways.push_back({{"type", "string"}, {" none of", strings}});
  if (truth[0] != truth[1]) ways.push_back({{"const", truth[0]}});
  std::sort(numbers.begin(), numbers.end());
  for (size_t i = 0; i <= numbers.size() && !numbers.empty(); ++i) {
    Json way = {{"type", "number"}};
    if (i > 0) way["exclusiveMinimum"] = numbers[i - 1];
    if (i < numbers.size()) way["exclusiveMaximum"] = numbers[i];
    ways.push_back(std::move(way));
  }
  return any_of(ways);
}

const Json* SchemaRewrite::branches(const Json& schema, bool asks) {
  if (!schema.contains("if") || (!schema.contains("then") && !schema.contains("else") && !asks))
    return nullptr;
  return &kept(schema, "if", [&] {
    const Json& condition = doc_.member(schema, "if");
    Json yes = Json::array({is(condition)}), no = Json::array({is_not(condition)});
    if (schema.contains("then")) yes.push_back(is(doc_.member(schema, "then")));
    if (schema.contains("else")) no.push_back(is(doc_.member(schema, "else")));
    return any_of({{{"allOf", yes}}, {{"allOf", no}}});
  });
}

const Json* SchemaRewrite::dependencies(const Json& schema) {
  if (!schema.contains("dependentRequired") && !schema.contains("dependentSchemas")) return nullptr;
  return &kept(schema, "dependent", [&] {
    Json all = Json::array();
    const auto add = [&](const std::string& name, Json present) {
      present["type"] = "object";
      all.push_back(any_of({{{"properties", {{name, false}}}}, std::move(present)}));
    };
    for (const char* key : {"dependentRequired", "dependentSchemas"}) {
      if (!schema.contains(key)) continue;
      const Json& of = doc_.member(schema, key);
      if (!of.is_object()) doc_.refuse(of, "must be an object");
      for (const auto& [name, value] : of.items()) {
        if (std::string_view(key) == "dependentSchemas") {
          Json present = is(doc_.member(of, name));
          present["required"] = Json::array({name});
          add(name, std::move(present));
          continue;
        }
        Json names = Json::array({name});
        if (!value.is_array()) doc_.refuse(of, "must have lists of names");
        for (const Json& other : value) {
          if (!other.is_string()) doc_.refuse(of, "must have lists of names");
          names.push_back(other);
        }
        add(name, {{"required", names}});
      }
    }
    return all.empty() ? Json::object() : Json{{"allOf", std::move(all)}};
  });
}

const Json& SchemaRewrite::exactly_one(const Json& schema) {
  return kept(schema, "one", [&] {
    const Json& list = doc_.member(schema, "oneOf");
    Json ways = Json::array();
    for (size_t i = 0; i < list.size(); ++i) {
      Json all = Json::array({is(doc_.item(list, i))});
      for (size_t j = 0; j < list.size(); ++j) {
        if (j != i) all.push_back(is_not(doc_.item(list, j)));
      }
      ways.push_back({{"allOf", all}});
    }
    return any_of(ways);
  });
}

}  // namespace lmc::grammar
