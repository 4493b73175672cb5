// The filters, tests and methods that chat templates use.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

#include "models/chat/program.h"

namespace lmc::chat {
namespace {

constexpr std::string_view kSpace = " \t\n\r\f\v";

const std::string& need_text(const Value& v, const char* who) {
  if (!v.is_text()) throw Error(std::string(who) + " needs a string, not " + kind_name(v));
  return v.text();
}

std::string mapped(std::string text, int (*each)(int)) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 128) c = static_cast<char>(each(c));
  }
  return text;
}

std::string capitalised(const std::string& text) {
  std::string out = mapped(text, std::tolower);
  if (!out.empty() && static_cast<unsigned char>(out[0]) < 128)
    out[0] = static_cast<char>(std::toupper(out[0]));
  return out;
}

enum Sides { left = 1, right = 2, both = 3 };
std::string stripped(const std::string& text, const Arguments& a, int sides) {
  const Value* chars = a.find(0, "chars");
  std::array<bool, 256> set = {};
  for (const char c : chars && chars->is_text() ? std::string_view(chars->text()) : kSpace)
    set[static_cast<unsigned char>(c)] = true;
  const auto goes = [&](char c) { return set[static_cast<unsigned char>(c)]; };
  size_t begin = 0, end = text.size();
  while ((sides & left) && begin < end && goes(text[begin])) ++begin;
  while ((sides & right) && end > begin && goes(text[end - 1])) --end;
  return text.substr(begin, end - begin);
}

Value split(const std::string& text, const Arguments& a) {
  const Value* by = a.find(0, "sep");
  const Value* most = a.find(1, "maxsplit");
  int64_t left_over = most && most->is_whole() ? most->whole() : -1;
  List out;
  if (text.size() > kMostItems) throw Error("split() takes at most 1000000 bytes");
  if (!by || by->is<None>()) {
    for (size_t at = text.find_first_not_of(kSpace); at != std::string::npos;) {
      const size_t end = left_over == 0 ? std::string::npos : text.find_first_of(kSpace, at);
      out.push_back(text.substr(at, end == std::string::npos ? end : end - at));
      --left_over;
      at = end == std::string::npos ? end : text.find_first_not_of(kSpace, end);
    }
    return Value::list(out);
  }
  const std::string& mark = need_text(*by, "split()");
  if (mark.empty()) throw Error("split() needs a separator that is not empty");
  size_t at = 0;
  for (size_t end; left_over-- != 0 && (end = find_text(text, mark, at)) != std::string::npos;
       at = end + mark.size())
    out.push_back(text.substr(at, end - at));
  out.push_back(text.substr(at));
  return Value::list(out);
}

std::string replaced(const std::string& text, const Arguments& a) {
  const Value *from = a.find(0, "old"), *to = a.find(1, "new");
  if (!from || !to) throw Error("replace needs what to replace, and by what");
  const std::string &old = need_text(*from, "replace"), &fresh = need_text(*to, "replace");
  if (old.empty()) throw Error("replace needs a text that is not empty");
  std::string out;
  size_t at = 0;
  for (size_t end; (end = find_text(text, old, at)) != std::string::npos; at = end + old.size())
    limited(out += text.substr(at, end - at) + fresh);
  return limited(out + text.substr(at));
}

bool is_any_of(const Value& given, const char* who, const std::function<bool(const std::string&)>& test) {
  if (!given.is_list()) return test(need_text(given, who));
  return std::any_of(given.items().begin(), given.items().end(),
                     [&](const Value& v) { return test(need_text(v, who)); });
}

int64_t length(const Value& v) {
  if (v.is_list()) return static_cast<int64_t>(v.items().size());
  if (v.is_dict()) return static_cast<int64_t>(v.entries().size());
  const std::string& s = need_text(v, "length");
  return std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xC0) != 0x80; });  // characters
}

Value elements(const Value& v) {
  if (v.is_list()) return Value::list(v.items());
  List out;
  if (v.is_dict()) {
    for (const auto& e : v.entries()) out.push_back(e.first);
    return Value::list(out);
  }
  for (const char c : need_text(v, "list")) {
    if ((c & 0xC0) == 0x80 && !out.empty()) {
      out.back() = out.back().text() + c;
    } else {
      out.push_back(std::string(1, c));
    }
    if (out.size() > kMostItems) throw Error("a text of more than 1000000 characters cannot become a list");
  }
  return Value::list(out);
}

List parts(const Value& v) { return elements(v).items(); }

std::string joined(const Value& v, const Arguments& a) {
  const Value* by = a.find(0, "d");
  std::string out;
  bool first = true;
  for (const Value& i : parts(v)) {
    if (!first && by) out += printed(*by);
    limited(out += printed(i));
    first = false;
  }
  return out;
}

Value pairs(const Value& v) {
  if (!v.is_dict()) throw Error(std::string("items needs a dict, not ") + kind_name(v));
  List out;
  for (const auto& [key, value] : v.entries()) out.push_back(Value::list({key, value}));
  return Value::list(out);
}

Value defaulted(const Value& v, const Arguments& a) {
  const Value* other = a.find(0, "default_value");
  const Value* falsy = a.find(1, "boolean");
  const bool use = v.is<Undefined>() || (falsy && truth(*falsy) && !truth(v));
  return !use ? v : other ? *other : Value("");
}

Value as_whole(const Value& v, const Arguments& a) {
  const Value* other = a.find(0, "default");
  if (v.is_whole()) return v.whole();
  if (v.is_number() && std::abs(v.number()) < 9e18) return static_cast<int64_t>(v.number());
  int64_t out = 0;
  const std::string t = v.is_text() ? stripped(v.text(), {}, both) : "";
  const auto r = std::from_chars(t.data(), t.data() + t.size(), out);
  const bool ok = !t.empty() && r.ec == std::errc() && r.ptr == t.data() + t.size();
  return ok ? Value(out) : other ? *other : Value(int64_t{0});
}

Value as_json(const Value& v, const Arguments& a) {
  const Value* indent = a.find(0, "indent");
  return json_text(v, indent && indent->is_whole() ? std::clamp<int64_t>(indent->whole(), 0, 64) : -1);
}

// selectattr("role", "equalto", "user") and rejectattr.
Value chosen(const Value& v, const Arguments& a, bool wanted) {
  const Value *key = a.find(0, ""), *test = a.find(1, "");
  if (!key) throw Error("selectattr needs an attribute");
  Arguments rest;
  if (a.positional.size() > 2) rest.positional.assign(a.positional.begin() + 2, a.positional.end());
  const Test check = test ? find_test(need_text(*test, "selectattr")) : nullptr;
  if (test && !check) throw Error("there is no test '" + test->text() + "'");
  List out;
  for (const Value& i : parts(v)) {
    const std::string& name = need_text(*key, "selectattr");
    const Value* x = i.is_dict() ? entry(i, name) : nullptr;
    const Value value = x ? *x : Value(Undefined{name});
    if ((check ? check(value, rest) : truth(value)) == wanted) out.push_back(i);
  }
  return Value::list(out);
}

Value attribute_map(const Value& v, const Arguments& a) {
  const Value* attribute = a.find(99, "attribute");
  List out;
  for (const Value& i : parts(v)) {
    if (attribute) {
      const std::string& name = need_text(*attribute, "map");
      const Value* x = i.is_dict() ? entry(i, name) : nullptr;
      out.push_back(x ? *x : Value(Undefined{name}));
      continue;
    }
    const Value* name = a.find(0, "");
    const Filter f = name ? find_filter(need_text(*name, "map")) : nullptr;
    if (!f) throw Error("map needs the name of a filter, or attribute=");
    out.push_back(f(i, {}));
  }
  return Value::list(out);
}

Value at_end(const Value& v, bool last) {
  const Value all = elements(v);
  if (all.items().empty()) return Undefined{last ? "last" : "first"};
  return last ? all.items().back() : all.items().front();
}

std::string indented(const std::string& text, const Arguments& a) {
  const Value *width = a.find(0, "width"), *first = a.find(1, "first");
  const std::string pad(
      static_cast<size_t>(std::clamp<int64_t>(width && width->is_whole() ? width->whole() : 4, 0, 64)), ' ');
  std::string out = first && truth(*first) ? pad : "";
  for (size_t i = 0; i < text.size(); ++i) {
    limited(out += text[i]);
    if (text[i] == '\n' && i + 1 < text.size() && text[i + 1] != '\n') out += pad;
  }
  return out;
}

#define LMC_TEXT_FILTER(expression)                 \
  [](const Value& v, const Arguments& a) -> Value { \
    static_cast<void>(a);                           \
    const std::string t = printed(v);               \
    return expression;                              \
  }
const std::map<std::string, Filter> kFilters = {
    {"trim", LMC_TEXT_FILTER(stripped(t, a, both))},
    {"upper", LMC_TEXT_FILTER(mapped(t, std::toupper))},
    {"lower", LMC_TEXT_FILTER(mapped(t, std::tolower))},
    {"capitalize", LMC_TEXT_FILTER(capitalised(t))},
    {"replace", LMC_TEXT_FILTER(replaced(t, a))},
    {"indent", LMC_TEXT_FILTER(indented(t, a))},
    {"string", LMC_TEXT_FILTER(t)},
    {"int", [](const Value& v, const Arguments& a) { return as_whole(v, a); }},
    {"safe", LMC_TEXT_FILTER(t)},
    {"length", [](const Value& v, const Arguments&) -> Value { return length(v); }},
    {"count", [](const Value& v, const Arguments&) -> Value { return length(v); }},
    {"list", [](const Value& v, const Arguments&) { return elements(v); }},
    {"join", [](const Value& v, const Arguments& a) -> Value { return joined(v, a); }},
    {"items", [](const Value& v, const Arguments&) { return pairs(v); }},
    {"default", defaulted},
    {"d", defaulted},
    {"tojson", as_json},
    {"selectattr", [](const Value& v, const Arguments& a) { return chosen(v, a, true); }},
    {"rejectattr", [](const Value& v, const Arguments& a) { return chosen(v, a, false); }},
    {"map", attribute_map},
    {"first", [](const Value& v, const Arguments&) { return at_end(v, false); }},
    {"last", [](const Value& v, const Arguments&) { return at_end(v, true); }},
    {"reverse",
     [](const Value& v, const Arguments&) {
       Value out = elements(v);
       std::reverse(out.items().begin(), out.items().end());
       return out;
     }},
};
#undef LMC_TEXT_FILTER

bool is_equal(const Value& v, const Arguments& a) { return a.find(0, "") && equal(v, *a.find(0, "")); }
bool is_in(const Value& v, const Arguments& a) {
  if (!a.find(0, "")) return false;
  const Value all = elements(*a.find(0, ""));
  return std::any_of(all.items().begin(), all.items().end(), [&](const Value& x) { return equal(x, v); });
}

const std::map<std::string, Test> kTests = {
    {"defined", [](const Value& v, const Arguments&) { return !v.is<Undefined>(); }},
    {"undefined", [](const Value& v, const Arguments&) { return v.is<Undefined>(); }},
    {"none", [](const Value& v, const Arguments&) { return v.is<None>(); }},
    {"string", [](const Value& v, const Arguments&) { return v.is_text(); }},
    {"mapping", [](const Value& v, const Arguments&) { return v.is_dict(); }},
    {"sequence", [](const Value& v, const Arguments&) { return v.is_list() || v.is_text() || v.is_dict(); }},
    {"iterable", [](const Value& v, const Arguments&) { return v.is_list() || v.is_text() || v.is_dict(); }},
    {"number", [](const Value& v, const Arguments&) { return v.is_number(); }},
    {"integer", [](const Value& v, const Arguments&) { return v.is<int64_t>(); }},
    {"float", [](const Value& v, const Arguments&) { return v.is<double>(); }},
    {"boolean", [](const Value& v, const Arguments&) { return v.is<bool>(); }},
    {"true", [](const Value& v, const Arguments&) { return v.is<bool>() && truth(v); }},
    {"false", [](const Value& v, const Arguments&) { return v.is<bool>() && !truth(v); }},
    {"odd", [](const Value& v, const Arguments&) { return v.is_whole() && v.whole() % 2 != 0; }},
    {"even", [](const Value& v, const Arguments&) { return v.is_whole() && v.whole() % 2 == 0; }},
    {"callable", [](const Value& v, const Arguments&) { return v.is_function(); }},
    {"equalto", is_equal},
    {"eq", is_equal},
    {"ne", [](const Value& v, const Arguments& a) { return !is_equal(v, a); }},
    {"in", is_in},
};

using Method = Value (*)(const Value& on, const Arguments&);
const std::map<std::string, Method> kTextMethods = {
    {"strip", [](const Value& v, const Arguments& a) -> Value { return stripped(v.text(), a, both); }},
    {"lstrip", [](const Value& v, const Arguments& a) -> Value { return stripped(v.text(), a, left); }},
    {"rstrip", [](const Value& v, const Arguments& a) -> Value { return stripped(v.text(), a, right); }},
    {"upper", [](const Value& v, const Arguments&) -> Value { return mapped(v.text(), std::toupper); }},
    {"lower", [](const Value& v, const Arguments&) -> Value { return mapped(v.text(), std::tolower); }},
    {"capitalize", [](const Value& v, const Arguments&) -> Value { return capitalised(v.text()); }},
    {"split", [](const Value& v, const Arguments& a) { return split(v.text(), a); }},
    {"replace", [](const Value& v, const Arguments& a) -> Value { return replaced(v.text(), a); }},
    {"join",
     [](const Value& v, const Arguments& a) -> Value {
       const Value* all = a.find(0, "");
       if (!all) throw Error("join() needs a list");
       return joined(*all, Arguments{{v}, {}});
     }},
    {"startswith",
     [](const Value& v, const Arguments& a) -> Value {
       const Value* with = a.find(0, "");
       return with &&
              is_any_of(*with, "startswith()", [&](const std::string& s) { return v.text().starts_with(s); });
     }},
    {"endswith",
     [](const Value& v, const Arguments& a) -> Value {
       const Value* with = a.find(0, "");
       return with &&
              is_any_of(*with, "endswith()", [&](const std::string& s) { return v.text().ends_with(s); });
     }},
};
const std::map<std::string, Method> kDictMethods = {
    {"items", [](const Value& v, const Arguments&) { return pairs(v); }},
    {"keys", [](const Value& v, const Arguments&) { return elements(v); }},
    {"values",
     [](const Value& v, const Arguments&) {
       List out;
       for (const auto& e : v.entries()) out.push_back(e.second);
       return Value::list(out);
     }},
    {"get",
     [](const Value& v, const Arguments& a) -> Value {
       const Value *key = a.find(0, "key"), *other = a.find(1, "default");
       const Value* found = key && key->is_text() ? entry(v, key->text()) : nullptr;
       return found ? *found : other ? *other : Value(None{});
     }},
};
const std::map<std::string, Method> kListMethods = {
    {"append",
     [](const Value& v, const Arguments& a) -> Value {
       if (a.positional.size() != 1) throw Error("append() needs one value");
       v.items().push_back(a.positional[0]);
       return None{};
     }},
};

const std::map<std::string, Method>* methods_of(const Value& v) {
  if (v.is_text()) return &kTextMethods;
  if (v.is_dict()) return &kDictMethods;
  return v.is_list() ? &kListMethods : nullptr;
}

}  // namespace

Filter find_filter(const std::string& name) {
  const auto it = kFilters.find(name);
  return it == kFilters.end() ? nullptr : it->second;
}

Test find_test(const std::string& name) {
  const auto it = kTests.find(name);
  return it == kTests.end() ? nullptr : it->second;
}

bool has_method(const Value& on, const std::string& name) {
  const auto* methods = methods_of(on);
  return methods && methods->contains(name);
}

Value call_method(const Value& on, const std::string& name, const Arguments& arguments) {
  if (!has_method(on, name)) throw Error(std::string(kind_name(on)) + " has no method '" + name + "'");
  return methods_of(on)->at(name)(on, arguments);
}

}  // namespace lmc::chat
