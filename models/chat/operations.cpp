#include "models/chat/operations.h"

#include <algorithm>
#include <cmath>

namespace lmc::chat {
namespace {

int64_t place(int64_t i, size_t size) { return i < 0 ? i + static_cast<int64_t>(size) : i; }

// The items of a list, the characters of a text.
List parts(Run& run, const Value& v) {
  run.step(v.is_text() ? 1 + v.text().size() / 4 : walking_cost(v));
  return find_filter("list")(v, {}).items();
}

bool contains(Run& run, const Value& all, const Value& x) {
  run.step(walking_cost(all));
  if (all.is_text()) {
    if (!x.is_text()) throw Error(std::string("'in' a string needs a string, not ") + kind_name(x));
    return find_text(all.text(), x.text()) != std::string::npos;
  }
  if (all.is_dict()) return x.is_text() && entry(all, x.text());
  if (!all.is_list()) throw Error(std::string("'in' needs a list, dict or string, not ") + kind_name(all));
  return std::any_of(all.items().begin(), all.items().end(), [&](const Value& i) { return equal(i, x); });
}

bool less(const Value& a, const Value& b) {
  if (a.is_whole() && b.is_whole()) return a.whole() < b.whole();
  if (a.is_number() && b.is_number()) return a.number() < b.number();
  if (a.is_text() && b.is_text()) {
    charge(std::min(a.text().size(), b.text().size()) / kBytesPerStep);
    return a.text() < b.text();
  }
  throw Error(std::string("cannot compare ") + kind_name(a) + " with " + kind_name(b));
}

// a to the power of b >= 0; nothing where it is too large.
std::optional<int64_t> whole_power(int64_t a, int64_t b) {
  int64_t out = 1;
  for (;; b /= 2) {
    if (b % 2 != 0 && __builtin_mul_overflow(out, a, &out)) return std::nullopt;
    if (b <= 1) return out;
    if (__builtin_mul_overflow(a, a, &a)) return std::nullopt;
  }
}

Value whole_arithmetic(const std::string& op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool over = false;
  if (op == "+") over = __builtin_add_overflow(a, b, &out);
  if (op == "-") over = __builtin_sub_overflow(a, b, &out);
  if (op == "*") over = __builtin_mul_overflow(a, b, &out);
  if (op == "//" || op == "%") {
    if (b == 0) throw Error("division by zero");
    if (b == -1) {
      over = op == "//" && __builtin_sub_overflow(int64_t{0}, a, &out);
    } else {  // rounded down, as in Python
      const int64_t rest = a % b, down = rest != 0 && (rest < 0) != (b < 0);
      out = op == "//" ? a / b - down : rest + down * b;
    }
  }
  if (op == "**") {
    const auto power = whole_power(a, b);
    over = !power;
    out = power.value_or(0);
  }
  if (over) throw Error("a number is too large");
  return out;
}

}  // namespace

Value attribute(const Value& on, const std::string& name) {
  if (on.is<Undefined>()) {
    throw Error("'" + std::get<Undefined>(on.v).name + "' is undefined, so it has no '" + name + "'");
  }
  const Value* found = on.is_dict() ? entry(on, name) : nullptr;
  return found ? *found : Value(Undefined{name});
}

Value subscript(Run& run, const Value& on, const Value& key) {
  if (key.is_text()) return attribute(on, key.text());
  if (!key.is_whole()) throw Error(std::string("cannot index with ") + kind_name(key));
  const Value missing = Undefined{std::to_string(key.whole())};
  if (on.is<Undefined>()) return attribute(on, std::to_string(key.whole()));
  if (!on.is_list() && !on.is_text()) return missing;
  const Value all = on.is_text() ? Value::list(parts(run, on)) : on;
  const int64_t i = place(key.whole(), all.items().size());
  if (i < 0 || i >= static_cast<int64_t>(all.items().size())) return missing;
  return all.items()[static_cast<size_t>(i)];
}

Value slice(Run& run, const Value& on, const std::optional<Value>& from, const std::optional<Value>& to,
            const std::optional<Value>& by) {
  const auto number = [](const std::optional<Value>& v) -> std::optional<int64_t> {
    if (!v || v->is<None>()) return std::nullopt;
    if (!v->is_whole()) throw Error(std::string("cannot slice with ") + kind_name(*v));
    return v->whole();
  };
  if (!on.is_list() && !on.is_text()) throw Error(std::string("cannot slice ") + kind_name(on));
  const List all = parts(run, on);
  const auto n = static_cast<int64_t>(all.size());
  const int64_t step = number(by).value_or(1);
  if (step == 0) throw Error("a slice needs a step that is not 0");
  const auto bound = [&](std::optional<int64_t> i, int64_t otherwise) {
    if (!i) return otherwise;
    return std::clamp(place(*i, all.size()), step > 0 ? int64_t{0} : int64_t{-1}, step > 0 ? n : n - 1);
  };
  const int64_t begin = bound(number(from), step > 0 ? 0 : n - 1);
  const int64_t end = bound(number(to), step > 0 ? n : -1);
  List out;
  for (int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
    out.push_back(all[static_cast<size_t>(i)]);
    if (step > n || step < -n) break;
  }
  return on.is_text() ? find_filter("join")(Value::list(out), {}) : Value::list(out);
}

bool compare(Run& run, const std::string& op, const Value& a, const Value& b) {
  if (op == "==") return equal(a, b);
  if (op == "!=") return !equal(a, b);
  if (op == "in") return contains(run, b, a);
  if (op == "not in") return !contains(run, b, a);
  if (op == "<") return less(a, b);
  if (op == ">") return less(b, a);
  return op == "<=" ? !less(b, a) : !less(a, b);
}

Value arithmetic(const std::string& op, const Value& a, const Value& b) {
  if (op == "+" && a.is_text() && b.is_text()) return limited(a.text() + b.text());
  if (op == "+" && a.is_list() && b.is_list()) {
    List out = a.items();
    out.insert(out.end(), b.items().begin(), b.items().end());
    if (out.size() > kMostItems) throw Error("a list has more than 1000000 items");
    return Value::list(std::move(out));
  }
  if (!a.is_number() || !b.is_number())
    throw Error("cannot compute " + std::string(kind_name(a)) + " " + op + " " + kind_name(b));
  const bool whole = a.is_whole() && b.is_whole() && op != "/" && (op != "**" || b.whole() >= 0);
  if (whole) return whole_arithmetic(op, a.whole(), b.whole());
  const double x = a.number(), y = b.number();
  if (op == "+") return x + y;
  if (op == "-") return x - y;
  if (op == "*") return x * y;
  if (op == "**" ? x == 0 && y < 0 : y == 0) throw Error("division by zero");
  if (op == "**") return std::pow(x, y);
  if (op == "/") return x / y;
  return op == "//" ? std::floor(x / y) : x - std::floor(x / y) * y;
}

}  // namespace lmc::chat
