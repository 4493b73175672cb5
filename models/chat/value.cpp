#include "models/chat/value.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "ir/error.h"

namespace lmc::chat {
namespace {

constexpr int kDeepestValue = 100;           // a namespace can be put into a list that it holds
constexpr size_t kLongestPrinted = 1 << 20;  // of lists and dicts, which may hold the same one many times

std::string number_text(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  if (x == std::floor(x) && std::abs(x) < 1e16) return std::to_string(static_cast<int64_t>(x)) + ".0";
  return nlohmann::json(x).dump();
}

// As Python's repr(): in single quotes, or double ones where that saves escaping.
std::string quoted(const std::string& text) {
  const bool apostrophe = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = apostrophe ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\\' || c == quote)
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out + quote;
}

void check_depth(int depth) {
  if (depth > kDeepestValue) throw Error("a value is nested more than 100 deep");
}

// Appends an item of a list or dict.
void add(std::string& out, const std::string& between, const std::string& item) {
  charge(1 + item.size() / kBytesPerStep);
  out += (out.empty() ? "" : between) + item;
  if (out.size() > kLongestPrinted) throw Error("a list or dict has more than 1 MiB of text");
}

std::string shown(const Value& v, bool inside, int depth) {
  check_depth(depth);
  if (v.is<Undefined>()) return inside ? "Undefined" : "";
  if (v.is<None>()) return "None";
  if (v.is<bool>()) return std::get<bool>(v.v) ? "True" : "False";
  if (v.is<int64_t>()) return std::to_string(v.whole());
  if (v.is<double>()) return number_text(v.number());
  if (v.is_text()) return inside ? quoted(v.text()) : v.text();
  if (v.is_function()) return "<function>";
  std::string out;
  if (v.is_list()) {
    for (const Value& i : v.items()) add(out, ", ", shown(i, true, depth + 1));
    return "[" + out + "]";
  }
  for (const auto& [key, x] : v.entries()) add(out, ", ", quoted(key) + ": " + shown(x, true, depth + 1));
  return "{" + out + "}";
}

// json.dumps of Python: ", " and ": " between, characters beyond ASCII as they are.
std::string dumped(const Value& v, int64_t indent, int depth) {
  check_depth(depth);
  if (v.is<None>()) return "null";
  if (v.is<bool>()) return std::get<bool>(v.v) ? "true" : "false";
  if (v.is<int64_t>() || v.is<double>()) return shown(v, false, depth);
  if (v.is_text())
    return nlohmann::json(v.text()).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (!v.is_list() && !v.is_dict()) throw Error(std::string("tojson cannot write ") + kind_name(v));
  const auto line = [&](int at) {
    return indent < 0 ? std::string() : "\n" + std::string(static_cast<size_t>(indent * at), ' ');
  };
  const std::string between = indent < 0 ? ", " : ",";
  std::string out;
  if (v.is_list()) {
    for (const Value& i : v.items()) add(out, between, line(depth + 1) + dumped(i, indent, depth + 1));
    return out.empty() ? "[]" : "[" + out + line(depth) + "]";
  }
  for (const auto& [key, x] : v.entries())
    add(out, between, line(depth + 1) + dumped(key, indent, depth + 1) + ": " + dumped(x, indent, depth + 1));
  return out.empty() ? "{}" : "{" + out + line(depth) + "}";
}

bool equal_within(const Value& a, const Value& b, int depth) {
  check_depth(depth);
  charge(1);
  if (a.is_number() && b.is_number()) {
    return a.is_whole() && b.is_whole() ? a.whole() == b.whole() : a.number() == b.number();
  }
  if (a.v.index() != b.v.index()) return false;
  if (a.is_text()) {
    charge(std::min(a.text().size(), b.text().size()) / kBytesPerStep);
    return a.text() == b.text();
  }
  if (a.is_list()) {
    return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(),
                      [&](const Value& x, const Value& y) { return equal_within(x, y, depth + 1); });
  }
  if (a.is_dict()) {
    return a.entries().size() == b.entries().size() &&
           std::all_of(a.entries().begin(), a.entries().end(), [&](const auto& e) {
             const Value* other = entry(b, e.first);
             return other && equal_within(e.second, *other, depth + 1);
           });
  }
  return !a.is_function();
}

}  // namespace

Value::Value(std::string text) {
  charge(1 + text.size() / kBytesPerStep);
  v = std::make_shared<const std::string>(std::move(text));
}

Value Value::list(List items) {
  charge(1 + items.size());
  return {std::make_shared<List>(std::move(items))};
}

Value Value::dict(Dict items) {
  charge(1 + items.size());
  return {std::make_shared<Dict>(std::move(items))};
}

size_t walking_cost(const Value& v) {
  if (v.is_text()) return 1 + v.text().size() / kBytesPerStep;
  if (v.is_list()) return 1 + v.items().size();
  return v.is_dict() ? 1 + v.entries().size() : 1;
}

size_t find_text(std::string_view in, std::string_view what, size_t from) {
  if (from > in.size()) return std::string_view::npos;
  if (what.empty()) return from;
  const void* found = ::memmem(in.data() + from, in.size() - from, what.data(), what.size());
  const size_t at = found ? static_cast<size_t>(static_cast<const char*>(found) - in.data()) : in.size();
  charge((at - from + what.size()) / kBytesPerStep);
  return found ? at : std::string_view::npos;
}

const Value* Arguments::find(size_t place, const std::string& name) const {
  if (place < positional.size()) return &positional[place];
  for (const auto& [key, value] : named) {
    if (key == name) return &value;
  }
  return nullptr;
}

const char* kind_name(const Value& v) {
  const char* const names[] = {"undefined", "none",   "a boolean", "a whole number", "a number",
                               "a string",  "a list", "a dict",    "a function"};
  return names[v.v.index()];
}

bool truth(const Value& v) {
  if (v.is_number()) return v.number() != 0;
  if (v.is_text()) return !v.text().empty();
  if (v.is_list()) return !v.items().empty();
  if (v.is_dict()) return !v.entries().empty();
  return v.is_function();
}

bool equal(const Value& a, const Value& b) { return equal_within(a, b, 0); }
const std::string& limited(const std::string& text) {
  if (text.size() > kLongestText) throw Error("a text is longer than 16 MiB");
  return text;
}
std::string limited(std::string&& text) {
  limited(std::as_const(text));
  return std::move(text);
}
std::string printed(const Value& v) {
  charge(walking_cost(v));
  return shown(v, false, 0);
}
std::string json_text(const Value& v, int64_t indent) { return dumped(v, indent, 0); }

const Value* entry(const Value& dict, const std::string& key) {
  charge(1 + dict.entries().size() / 8);
  for (const auto& [k, value] : dict.entries()) {
    if (k == key) return &value;
  }
  return nullptr;
}

void set_entry(const Value& dict, const std::string& key, Value value) {
  charge(walking_cost(dict));
  for (auto& [k, old] : dict.entries()) {
    if (k == key) {
      old = std::move(value);
      return;
    }
  }
  dict.entries().emplace_back(key, std::move(value));
}

}  // namespace lmc::chat
