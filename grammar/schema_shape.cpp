#include "grammar/schema_shape.h"

#include <algorithm>
#include <utility>

#include "grammar/gbnf.h"
#include "grammar/regex.h"
#include "grammar/string_formats.h"
#include "ir/error.h"

namespace lmc::grammar {
namespace {

constexpr size_t kMostWork = 60000;    // schemas looked at, in all
constexpr size_t kMostStates = 20000;  // of a string's automaton
constexpr int32_t kMostCount = 1000000000;
constexpr int kMostDisjointDepth = 4;

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

uint8_t bits_of(const Json& value) {
  if (value.is_null()) return kNull;
  if (value.is_boolean()) return kBoolean;
  if (value.is_string()) return kString;
  if (value.is_array()) return kArray;
  if (value.is_object()) return kObject;
  const auto d = Decimal::of(value.dump());
  return d && d->is_integer() ? kInteger : kFraction;
}

int64_t characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; });
}

}  // namespace

bool accepts(const Automaton& a, std::string_view text) {
  uint32_t at = 0;
  for (const char c : text) {
    const auto& edges = a.states[at].edges;
    const auto e = std::find_if(edges.begin(), edges.end(), [&](const auto& edge) {
      return edge.bytes.contains(static_cast<uint8_t>(c));
    });
    if (e == edges.end()) return false;
    at = e->to;
  }
  return a.states[at].final;
}

Automaton automaton_of_texts(const std::vector<std::string>& texts) {
  Automaton all;
  const uint32_t start = all.add_state();
  for (const std::string& text : texts) {
    uint32_t at = start;
    for (const char c : text) {
      const uint32_t next = all.add_state();
      all.states[at].edges.push_back({ByteSet::of(static_cast<uint8_t>(c)), next});
      at = next;
    }
    all.states[at].final = true;
  }
  return *deterministic(all, all.states.size() + 1);
}

// A way through anyOf and oneOf as far as it has been gone.
struct Shapes::Way {
  struct Seen {
    const Json* schema;
    size_t via;  // of `seen`: what referred to it; itself: nobody
  };
  struct Group {
    const Json* owner;
    const char* key;
    size_t via;
  };
  std::vector<Seen> seen;
  std::vector<Group> groups;  // still to be chosen from
  References refers;          // whose members and items count for the first, too
  Conjunction parts;
};

Conjunction Shapes::in_order(Conjunction c) const {
  std::sort(c.begin(), c.end(), [&](const Json* a, const Json* b) { return doc_.earlier(*a, *b); });
  c.erase(std::unique(c.begin(), c.end()), c.end());
  return c;
}

void Shapes::pay(const Json& at) {
  if (++work_ > kMostWork) doc_.refuse(at, "the schema takes too much work: anyOf within allOf multiply");
}

std::vector<Shape> Shapes::of(const Conjunction& all) {
  Way way;
  for (const Json* schema : all) {
    if (!take(way, *schema, way.seen.size())) return {};
  }
  std::vector<Shape> out;
  expand(std::move(way), out);
  return out;
}

// Adds a schema and what it refers to. False if no value fits it.
bool Shapes::take(Way& way, const Json& schema, size_t via) {
  std::vector<std::pair<const Json*, size_t>> todo = {{&schema, via}};
  while (!todo.empty()) {
    const auto [next, from] = todo.back();
    todo.pop_back();
    pay(*next);
    for (size_t at = from; at < way.seen.size();) {
      if (way.seen[at].schema == next) doc_.refuse(*next, "refers to itself without going into a value");
      if (way.seen[at].via == at) break;
      at = way.seen[at].via;
    }
    const size_t own = way.seen.size();
    const bool known =
        std::any_of(way.seen.begin(), way.seen.end(), [&](const auto& s) { return s.schema == next; });
    way.seen.push_back({next, std::min(from, own)});
    if (known) continue;
    if (next->is_boolean()) {
      if (!next->get<bool>()) return false;
      continue;
    }
    check(*next);
    way.parts.push_back(next);
    add_links(way, *next, todo, own);
  }
  return true;
}

// What a schema refers to, and from what it lets choose.
void Shapes::add_links(Way& way, const Json& schema, std::vector<std::pair<const Json*, size_t>>& todo,
                       size_t own) {
  const auto also = [&](const Json& other) {
    way.refers.emplace_back(&schema, &other);
    todo.emplace_back(&other, own);
  };
  for (const char* key : {"$ref", "$dynamicRef"}) {
    if (schema.contains(key)) also(doc_.target(schema, key));
  }
  if (schema.contains("allOf")) {
    const Json& list = list_at(schema, "allOf");
    for (size_t i = 0; i < list.size(); ++i) also(doc_.item(list, i));
  }
  for (const char* key : {"anyOf", "oneOf"}) {
    if (!schema.contains(key)) continue;
    list_at(schema, key);
    way.groups.push_back({&schema, key, own});
  }
  if (const Json* branches = rewrite_.branches(schema, closes())) also(*branches);
  if (const Json* dependencies = rewrite_.dependencies(schema)) also(*dependencies);
  // What stands under a not says nothing about members.
  if (schema.contains("not")) todo.emplace_back(&rewrite_.negation(doc_.member(schema, "not")), own);
  if (!doc_.is_made(schema)) return;
  if (schema.contains(" is")) also(doc_.numbered(schema[" is"].get<size_t>()));
  if (schema.contains(" not"))
    todo.emplace_back(&rewrite_.negation(doc_.numbered(schema[" not"].get<size_t>())), own);
}

const Json& Shapes::list_at(const Json& schema, const char* key) {
  const Json& list = doc_.member(schema, key);
  if (!list.is_array() || list.empty()) doc_.refuse(list, "must be a list of schemas, not empty");
  return list;
}

bool Shapes::closes() {
  const std::function<bool(const Json&)> has = [&](const Json& value) {
    return (value.is_object() &&
            (value.contains("unevaluatedProperties") || value.contains("unevaluatedItems"))) ||
           (value.is_structured() && std::any_of(value.begin(), value.end(), has));
  };
  if (!closes_) closes_ = has(doc_.root());
  return *closes_;
}

void Shapes::expand(Way way, std::vector<Shape>& out) {
  if (way.groups.empty()) {
    const auto refers = std::move(way.refers);
    Shape shape = gather(in_order(std::move(way.parts)), refers);
    if (shape.types != 0 && !(shape.values && shape.values->empty())) out.push_back(std::move(shape));
    return;
  }
  const Way::Group group = way.groups.back();
  way.groups.pop_back();
  const Json& list = doc_.member(*group.owner, group.key);
  const bool one = std::string_view(group.key) == "oneOf";
  if (one && !all_disjoint_of(way, *group.owner)) {
    const Json& exactly = rewrite_.exactly_one(*group.owner);
    way.refers.emplace_back(group.owner, &exactly);
    if (take(way, exactly, group.via)) expand(std::move(way), out);
    return;
  }
  // Members count that any of those names which hold: so all sets of them are ways.
  constexpr size_t kMostTogether = 6;
  const bool together = !one && closes() && list.size() > 1;
  if (together && list.size() > kMostTogether)
    doc_.refuse(list, "more than " + std::to_string(kMostTogether) +
                          " schemas beside unevaluatedProperties or unevaluatedItems are not supported");
  const size_t ways = together ? (size_t{1} << list.size()) - 1 : list.size();
  for (size_t w = 0; w < ways; ++w) {
    Way chosen = way;
    bool fits = true;
    for (size_t i = 0; i < list.size() && fits; ++i) {
      if (together ? ((w + 1) >> i & 1) == 0 : i != w) continue;
      const Json& item = doc_.item(list, i);
      chosen.refers.emplace_back(group.owner, &item);
      fits = take(chosen, item, group.via);
    }
    if (fits) expand(std::move(chosen), out);
  }
}

// Of a oneOf: is it plain that no value fits two?
bool Shapes::all_disjoint_of(const Way& way, const Json& owner) {
  const Json& list = doc_.member(owner, "oneOf");
  std::vector<std::vector<Shape>> shapes(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    Way one = way;
    one.groups.clear();
    if (take(one, doc_.item(list, i), one.seen.size())) expand(std::move(one), shapes[i]);
    for (size_t j = 0; j < i; ++j) {
      if (!all_disjoint(shapes[j], shapes[i], 0)) return false;
    }
  }
  return true;
}

void Shapes::check(const Json& schema) {
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

Shape Shapes::gather(const Conjunction& parts, const References& refers) {
  Shape out;
  out.parts = parts;
  for (const Json* schema : parts) {
    gather_one(out, *schema);
    gather_array(out, *schema);
    if (!schema->contains("unevaluatedProperties") && !schema->contains("unevaluatedItems")) continue;
    Conjunction below = {schema};
    for (size_t i = 0; i < below.size(); ++i) {
      for (const auto& [from, to] : refers) {
        if (from == below[i] && std::find(below.begin(), below.end(), to) == below.end()) below.push_back(to);
      }
    }
    std::erase_if(below, [](const Json* s) { return !s->is_object(); });
    out.closed.emplace_back(schema, std::move(below));
  }
  for (const std::string& name : out.required) {
    if (std::find(out.members.begin(), out.members.end(), name) == out.members.end())
      out.members.push_back(name);
  }
  for (const Json* schema : parts) keep_values(out, *schema);
  return out;
}

int32_t Shapes::count(const Json& schema, const char* key) {
  const Json& value = schema[key];
  const auto d = value.is_number() ? Decimal::of(value.dump()) : std::nullopt;
  if (!d || !d->is_integer() || d->negative) doc_.refuse(schema, key, "must be an integer from 0 on");
  if (d->integer.size() > 10 || std::stoll(d->integer) > kMostCount)
    doc_.refuse(schema, key, "may be " + std::to_string(kMostCount) + " at most");
  return static_cast<int32_t>(std::stoll(d->integer));
}

Bound Shapes::bound(const Json& schema, const char* key, bool open) {
  const Json& value = schema[key];
  if (!value.is_number()) doc_.refuse(schema, key, "must be a number");
  const auto d = Decimal::of(value.dump());
  if (!d) doc_.refuse(schema, key, "has more digits than are supported");
  return {*d, open};
}

Decimal Shapes::divisor(const Json& schema, const char* key) {
  const Decimal out = bound(schema, key, false).at;
  if (out.negative || out == Decimal{}) doc_.refuse(schema, key, "must be a number above 0");
  if ((out.integer == "0" ? 0 : out.integer.size()) + out.fraction.size() > 8)
    doc_.refuse(schema, key, "has more digits than are supported");
  return out;
}

void Shapes::gather_array(Shape& s, const Json& schema) {
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

void Shapes::gather_one(Shape& s, const Json& schema) {
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
    s.contents.push_back(pattern(text, text.get<std::string>(), false));
  }
  if (has(" no pattern")) {
    const Json& text = schema[" no pattern"];
    if (!text.is_string()) doc_.refuse(schema, "the pattern must be a string");
    s.contents.push_back(without(*pattern(schema, text.get<std::string>(), false)));
  }
  if (has(" none of")) {
    std::vector<std::string> texts;
    for (const Json& text : schema[" none of"]) texts.push_back(text.get<std::string>());
    s.contents.push_back(without(automaton_of_texts(texts)));
  }
  if (has("propertyNames")) s.names = with(s.names, doc_.member(schema, "propertyNames"));
  if (has("format")) {
    const Json& format = doc_.member(schema, "format");
    const auto regex = format.is_string() ? regex_of_format(format.get<std::string>()) : std::nullopt;
    if (!regex)
      doc_.refuse(format, "the format " + format.dump() + " is not supported; these are: " + known_formats());
    s.contents.push_back(pattern(format, *regex, true));
  }
  if (has("prefixItems")) {
    const Json& list = doc_.member(schema, "prefixItems");
    if (!list.is_array() || list.empty()) doc_.refuse(list, "must be a list of schemas, not empty");
  }
  if (has("items") && schema["items"].is_array())
    doc_.refuse(schema, "items", "is a list as in earlier drafts: since 2020-12 that is prefixItems");
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
    for (const auto& [text, of] : patterns.items()) s.key_patterns.push_back(pattern(patterns, text, false));
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

void Shapes::keep_values(Shape& s, const Json& schema) {
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

// Does a value of enum or const fit everything else? Of arrays and objects that cannot be told.
bool Shapes::fits(const Shape& s, const Json& value) {
  const uint8_t bits = bits_of(value);
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

size_t Shapes::prefix_items(const Shape& shape) {
  size_t out = 0;
  for (const Json* s : shape.parts) {
    if (s->contains("prefixItems")) out = std::max(out, (*s)["prefixItems"].size());
  }
  return out;
}

Conjunction Shapes::item(const Shape& shape, size_t index) {
  Conjunction out;
  for (const Json* s : shape.parts) {
    if (s->contains("prefixItems") && index < (*s)["prefixItems"].size()) {
      out.push_back(&doc_.item(doc_.member(*s, "prefixItems"), index));
    } else if (s->contains("items")) {
      out.push_back(&doc_.member(*s, "items"));
    }
  }
  for (const auto& [owner, below] : shape.closed) {
    if (!owner->contains("unevaluatedItems")) continue;
    const bool known = std::any_of(below.begin(), below.end(), [&, owner = owner](const Json* s) {
      if (s->contains("contains")) doc_.refuse(*s, "contains", "beside unevaluatedItems is not supported");
      return s->contains("items") || (s != owner && s->contains("unevaluatedItems")) ||
             (s->contains("prefixItems") && index < (*s)["prefixItems"].size());
    });
    if (!known) out.push_back(&doc_.member(*owner, "unevaluatedItems"));
  }
  return in_order(std::move(out));
}

Conjunction Shapes::member(const Shape& shape, const std::string& name) {
  std::vector<bool> matched;
  for (const SharedAutomaton& pattern : shape.key_patterns) matched.push_back(accepts(*pattern, name));
  return member(shape, &name, matched);
}

Conjunction Shapes::other_member(const Shape& shape, const std::vector<bool>& matched) {
  return member(shape, nullptr, matched);
}

// Of a member with a name that is known, or any other that matches these patterns.
Conjunction Shapes::member(const Shape& shape, const std::string* name, const std::vector<bool>& matched) {
  Conjunction out, knowing;  // what holds; the schemas that say so
  size_t pattern = 0;
  for (const Json* s : shape.parts) {
    bool known = false;
    if (name && s->contains("properties") && (*s)["properties"].contains(*name)) {
      known = true;
      out.push_back(&doc_.member(doc_.member(*s, "properties"), *name));
    }
    if (s->contains("patternProperties")) {
      const Json& patterns = doc_.member(*s, "patternProperties");
      for (const auto& [text, of] : patterns.items()) {
        if (!matched[pattern++]) continue;
        known = true;
        out.push_back(&doc_.member(patterns, text));
      }
    }
    if (!known && s->contains("additionalProperties"))
      out.push_back(&doc_.member(*s, "additionalProperties"));
    if (known || s->contains("additionalProperties")) knowing.push_back(s);
  }
  for (const auto& [owner, below] : shape.closed) {
    if (!owner->contains("unevaluatedProperties")) continue;
    const bool known = std::any_of(below.begin(), below.end(), [&, owner = owner](const Json* s) {
      return (s != owner && s->contains("unevaluatedProperties")) ||
             std::find(knowing.begin(), knowing.end(), s) != knowing.end();
    });
    if (!known) out.push_back(&doc_.member(*owner, "unevaluatedProperties"));
  }
  return in_order(std::move(out));
}

Conjunction Shapes::with(Conjunction all, const Json& schema) const {
  all.push_back(&schema);
  return in_order(std::move(all));
}

std::optional<std::vector<Json>> Shapes::finite(const Conjunction& all) {
  constexpr size_t kMost = 64;
  std::vector<Json> out;
  const auto add = [&](const Json& v) {
    if (std::find(out.begin(), out.end(), v) == out.end()) out.push_back(v);
  };
  for (const Shape& s : of(all)) {
    if (s.values) {
      for (const Json* v : *s.values) {
        if (v->is_structured()) return std::nullopt;
        add(*v);
      }
      continue;
    }
    if (s.types & ~(kNull | kBoolean | kInteger)) return std::nullopt;
    if (s.types & kNull) add(nullptr);
    if (s.types & kBoolean) add(false), add(true);
    if (s.types & kInteger) {
      if (!s.numbers.least || !s.numbers.most || s.numbers.least->at.integer.size() > 9 ||
          s.numbers.most->at.integer.size() > 9)
        return std::nullopt;
      const auto whole = [](const Decimal& d) { return std::stoll((d.negative ? "-" : "") + d.integer); };
      const int64_t first = whole(s.numbers.least->at), last = whole(s.numbers.most->at);
      if (last - first > static_cast<int64_t>(kMost)) return std::nullopt;
      for (int64_t i = first; i <= last; ++i) {
        if (s.numbers.contains(*Decimal::of(std::to_string(i)))) add(i);
      }
    }
    if (out.size() > kMost) return std::nullopt;
  }
  return out;
}

std::optional<Automaton> Shapes::names(const Shape& shape) {
  if (shape.names.empty()) return std::nullopt;
  Automaton all;
  all.add_state();
  const auto add = [&](const Automaton& one) {
    const auto base = static_cast<uint32_t>(all.states.size());
    all.states[0].empty.push_back(base);
    for (Automaton::State s : one.states) {
      for (auto& e : s.edges) e.to += base;
      all.states.push_back(std::move(s));
    }
  };
  for (Shape& s : of(shape.names)) {
    if (!(s.types & kString)) continue;
    std::vector<std::string> texts;
    if (s.values) {
      for (const Json* v : *s.values) {
        if (v->is_string()) texts.push_back(v->get<std::string>());
      }
      add(automaton_of_texts(texts));
      continue;
    }
    if (s.contents.empty()) s.contents.push_back(any_text());
    add(*content(s));
  }
  auto out = deterministic(all, kMostStates);
  if (!out) too_large(shape, "propertyNames");
  return out;
}

SharedAutomaton Shapes::pattern(const Json& of, const std::string& text, bool whole) {
  SharedAutomaton& known = patterns_[(whole ? "=" : "~") + text];
  if (known) return known;
  std::optional<Automaton> a;
  try {
    a = deterministic(automaton_of_regex(text, whole ? Match::whole : Match::anywhere, "pattern"),
                      kMostStates);
  } catch (const Error& e) {
    doc_.refuse(of, e.what());
  }
  if (!a) doc_.refuse(of, "the pattern takes more than " + std::to_string(kMostStates) + " states");
  return known = std::make_shared<const Automaton>(a->states.size() < 100 ? minimal(*a) : std::move(*a));
}

// All texts that it does not accept.
SharedAutomaton Shapes::without(const Automaton& deterministic) {
  return std::make_shared<const Automaton>(
      intersection(complement(deterministic), *any_text(), deterministic.states.size() * 16 + 64).value());
}

SharedAutomaton Shapes::any_text() { return pattern(doc_.root(), "[^]*", true); }

std::optional<Automaton> Shapes::content(const Shape& s) {
  if (s.contents.empty()) return std::nullopt;
  Automaton out = *s.contents[0];
  const auto meet = [&](const Automaton& other) {
    auto both = intersection(out, other, kMostStates);
    if (!both) too_large(s, "the patterns, formats and lengths of a string");
    out = both->states.size() < 500 ? minimal(*both) : std::move(*both);
  };
  for (size_t i = 1; i < s.contents.size(); ++i) meet(*s.contents[i]);
  if (s.min_length > 0 || s.max_length != kUnbounded) {
    constexpr int32_t kMostLength = 4000;
    if (std::max(s.min_length, s.max_length) > kMostLength)
      too_large(s, "a length of more than " + std::to_string(kMostLength) + " beside a pattern or format");
    const std::string most = s.max_length == kUnbounded ? "" : std::to_string(s.max_length);
    if (s.max_length != kUnbounded && s.max_length < s.min_length) return Automaton{{{}}};
    meet(*pattern(*s.parts[0], "[^]{" + std::to_string(s.min_length) + "," + most + "}", true));
  }
  return out;
}

void Shapes::too_large(const Shape& shape, const std::string& what) {
  doc_.refuse(shape.parts.empty() ? doc_.root() : *shape.parts[0], what + ": takes too many states");
}

bool Shapes::all_disjoint(const std::vector<Shape>& a, const std::vector<Shape>& b, int depth) {
  return std::all_of(a.begin(), a.end(), [&](const Shape& x) {
    return std::all_of(b.begin(), b.end(), [&](const Shape& y) { return disjoint(x, y, depth); });
  });
}

// Is it plain that no value fits both?
bool Shapes::disjoint(const Shape& a, const Shape& b, int depth) {
  pay(doc_.root());
  if (a.values && b.values) {
    return std::none_of(a.values->begin(), a.values->end(), [&](const Json* x) {
      return std::any_of(b.values->begin(), b.values->end(), [&](const Json* y) { return *x == *y; });
    });
  }
  if (a.values || b.values) {
    const Shape& listed = a.values ? a : b;
    const Shape& other = a.values ? b : a;
    return std::none_of(listed.values->begin(), listed.values->end(), [&](const Json* x) {
      return (bits_of(*x) & other.types) != 0 && (bits_of(*x) & (kArray | kObject) || fits(other, *x));
    });
  }
  const uint8_t both = a.types & b.types;
  if (both & (kNull | kBoolean)) return false;
  if (both & (kInteger | kFraction)) {
    NumberRange range = a.numbers;
    range.meet(b.numbers);
    const auto texts = numbers_within(range, (both & kInteger) != 0, (both & kFraction) != 0);
    if (!texts || !accepts_nothing(*texts)) return false;
  }
  if (both & kString) {
    Shape meet = a;
    meet.contents.insert(meet.contents.end(), b.contents.begin(), b.contents.end());
    meet.min_length = std::max(a.min_length, b.min_length);
    if (b.max_length != kUnbounded)
      meet.max_length = a.max_length == kUnbounded ? b.max_length : std::min(a.max_length, b.max_length);
    const bool lengths = meet.max_length != kUnbounded && meet.max_length < meet.min_length;
    if (!lengths) {
      const auto content = this->content(meet);
      if (!content || !accepts_nothing(*content)) return false;
    }
  }
  if ((both & kArray) && !(a.max_items != kUnbounded && b.min_items > a.max_items) &&
      !(b.max_items != kUnbounded && a.min_items > b.max_items))
    return false;
  return !(both & kObject) || members_disjoint(a, b, depth);
}

bool Shapes::members_disjoint(const Shape& a, const Shape& b, int depth) {
  std::set<std::string> names = a.required;
  names.insert(b.required.begin(), b.required.end());
  for (const std::string& name : names) {
    const std::vector<Shape> x = of(member(a, name)), y = of(member(b, name));
    // One at least wants it, so a value of both has it: is there none that it could be?
    if (depth < kMostDisjointDepth && all_disjoint(x, y, depth + 1)) return true;
  }
  return false;
}

}  // namespace lmc::grammar
