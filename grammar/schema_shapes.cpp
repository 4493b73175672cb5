#include "grammar/schema_shapes.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace lmc::grammar {
namespace {

constexpr size_t kMostWork = 60000;  // schemas looked at, in all
constexpr int kMostDisjointDepth = 4;

}  // namespace

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
    keywords_.check(*next);
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
    Shape shape = gather(in_order(doc_, std::move(way.parts)), refers);
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

Shape Shapes::gather(const Conjunction& parts, const References& refers) {
  Shape out;
  out.parts = parts;
  for (const Json* schema : parts) {
    keywords_.read(out, *schema);
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
  for (const Json* schema : parts) keywords_.keep_values(out, *schema);
  return out;
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
  return in_order(doc_, std::move(out));
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
  return in_order(doc_, std::move(out));
}

Conjunction Shapes::with(Conjunction all, const Json& schema) const {
  all.push_back(&schema);
  return in_order(doc_, std::move(all));
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
    if (s.contents.empty()) s.contents.push_back(strings_.any_text());
    add(*strings_.content(s));
  }
  auto out = deterministic(all, kMostSchemaStates);
  if (!out) strings_.too_large(shape, "propertyNames");
  return out;
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
      return (type_of(*x) & other.types) != 0 &&
             (type_of(*x) & (kArray | kObject) || keywords_.fits(other, *x));
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
      const auto content = this->strings_.content(meet);
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
