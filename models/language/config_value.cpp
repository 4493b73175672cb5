#include "models/language/config_value.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lmc {
namespace {

using syntax::Expr;

constexpr size_t kLongestShown = 4000;  // bytes of a list

// Values that walking over one takes in.
uint64_t size_of(const ConfigValue& v) {
  uint64_t out = 1;
  if (const auto* items = std::get_if<std::vector<ConfigValue>>(&v.v)) {
    for (const ConfigValue& i : *items) out += size_of(i);
  }
  if (const auto* text = std::get_if<std::string>(&v.v)) out += text->size() / 32;
  return out;
}

bool is_number(const ConfigValue& v) { return v.v.index() == 1 || v.v.index() == 2; }

// A real that is a whole number stays a real: 4 / 2.0 is 2.0.
ConfigValue arithmetic(const Expr& e, const ConfigValue& a, const ConfigValue& b) {
  const std::string& op = e.text;
  const auto* x = std::get_if<int64_t>(&a.v);
  const auto* y = std::get_if<int64_t>(&b.v);
  if (x && y) {
    int64_t out = 0;
    bool overflow = false;
    if (op == "+") overflow = __builtin_add_overflow(*x, *y, &out);
    if (op == "-") overflow = __builtin_sub_overflow(*x, *y, &out);
    if (op == "*") overflow = __builtin_mul_overflow(*x, *y, &out);
    if (op == "/" || op == "%") {
      if (*y == 0 || (*y == -1 && *x == INT64_MIN)) throw Error(e.loc, "division by " + b.str());
      if (op == "/" && *x % *y != 0) return {static_cast<double>(*x) / static_cast<double>(*y)};
      out = op == "/" ? *x / *y : *x % *y;
    }
    if (overflow) throw Error(e.loc, "the result is out of range");
    return {out};
  }
  const double p = real(a, e.loc);
  const double q = real(b, e.loc);
  if (op == "+") return {p + q};
  if (op == "-") return {p - q};
  if (op == "*") return {p * q};
  if (op == "/") {
    if (q == 0) throw Error(e.loc, "division by zero");
    return {p / q};
  }
  throw Error(e.loc, "'%' needs whole numbers");
}

// 1 and 1.0 are equal.
bool equal(const ConfigValue& a, const ConfigValue& b, const Location& at) {
  return is_number(a) && is_number(b) ? real(a, at) == real(b, at) : a == b;
}

ConfigValue binary(const Expr& e, const ConfigMap& config, Budget& steps) {
  const ConfigValue a = evaluate_expr(e.args[0], config, steps);
  const auto right = [&] { return evaluate_expr(e.args[1], config, steps); };
  if (e.text == "&&") return {int64_t{truth(a, e.loc) && truth(right(), e.loc)}};
  if (e.text == "||") return {int64_t{truth(a, e.loc) || truth(right(), e.loc)}};
  const ConfigValue b = right();
  if (e.text == "==") return {int64_t{equal(a, b, e.loc)}};
  if (e.text == "!=") return {int64_t{!equal(a, b, e.loc)}};
  if (e.text == "<") return {int64_t{real(a, e.loc) < real(b, e.loc)}};
  if (e.text == ">") return {int64_t{real(a, e.loc) > real(b, e.loc)}};
  if (e.text == "<=") return {int64_t{real(a, e.loc) <= real(b, e.loc)}};
  if (e.text == ">=") return {int64_t{real(a, e.loc) >= real(b, e.loc)}};
  return arithmetic(e, a, b);
}

ConfigValue call(const Expr& e, const ConfigMap& config, Budget& steps) {
  const auto need = [&](size_t n) {
    if (e.args.size() != n) throw Error(e.loc, e.text + " takes " + std::to_string(n) + " arguments");
  };
  const auto arg = [&](size_t i) { return evaluate_expr(e.args[i], config, steps); };
  if (e.text == "if") {
    need(3);
    return truth(arg(0), e.loc) ? arg(1) : arg(2);
  }
  if (e.text == "default") {
    need(2);
    const ConfigValue v = arg(0);
    return v.is_null() ? arg(1) : v;
  }
  if (e.text == "is_null") {
    need(1);
    return {int64_t{arg(0).is_null()}};
  }
  if (e.text == "at") {
    need(2);
    const ConfigValue list = arg(0);
    const auto* items = std::get_if<std::vector<ConfigValue>>(&list.v);
    const int64_t i = whole(arg(1), e.loc, "an index");
    if (!items) throw Error(e.loc, "at() needs a list, found " + list.str());
    if (i < 0 || i >= static_cast<int64_t>(items->size())) {
      throw Error(e.loc, "item " + std::to_string(i) + " of a list of " + std::to_string(items->size()));
    }
    return (*items)[static_cast<size_t>(i)];
  }
  if (e.text == "is_list") {
    need(1);
    return {int64_t{std::holds_alternative<std::vector<ConfigValue>>(arg(0).v)}};
  }
  if (e.text == "in") {
    need(2);
    const ConfigValue wanted = arg(0);
    const ConfigValue list = arg(1);
    if (list.is_null()) return {int64_t{0}};
    const auto* items = std::get_if<std::vector<ConfigValue>>(&list.v);
    if (!items) throw Error(e.loc, "in() needs a list, found " + list.str());
    return {int64_t{std::any_of(items->begin(), items->end(),
                                [&](const ConfigValue& item) { return equal(item, wanted, e.loc); })}};
  }
  if (e.text == "numbers") {
    need(3);
    const ConfigValue list = arg(0);
    const int64_t n = whole(arg(1), e.loc, "the length of a list");
    const ConfigValue key = arg(2);
    const auto* items = std::get_if<std::vector<ConfigValue>>(&list.v);
    if (items && static_cast<int64_t>(items->size()) == n &&
        std::all_of(items->begin(), items->end(), is_number))
      return list;
    const auto* name = std::get_if<std::string>(&key.v);
    throw Error(e.loc, (name ? *name : key.str()) + " must be a list of " + std::to_string(n) +
                           " numbers, found " + (items ? "one of " + std::to_string(items->size()) : "") +
                           (items && items->size() > 64 ? "" : (items ? ": " : "") + list.str()));
  }
  if (e.text == "sqrt") {
    need(1);
    return {std::sqrt(real(arg(0), e.loc))};
  }
  if (e.text == "log") {
    need(1);
    const double x = real(arg(0), e.loc);
    if (!(x > 0)) throw Error(e.loc, "log() needs a number above 0, found " + attr_text(x));
    return {std::log(x)};
  }
  if (e.text == "pow") {
    need(2);
    return {std::pow(real(arg(0), e.loc), real(arg(1), e.loc))};
  }
  if (e.text == "int") {
    need(1);
    return {static_cast<int64_t>(std::clamp(real(arg(0), e.loc), -9e18, 9e18))};
  }
  if (e.text == "min" || e.text == "max") {
    const auto better = [&](const ConfigValue& a, const ConfigValue& b) {
      return (real(a, e.loc) < real(b, e.loc)) == (e.text == "min") ? a : b;
    };
    if (e.args.size() != 1) {
      need(2);
      return better(arg(0), arg(1));
    }
    const ConfigValue list = arg(0);
    const auto* items = std::get_if<std::vector<ConfigValue>>(&list.v);
    if (!items || items->empty()) throw Error(e.loc, e.text + "() needs two numbers or a list of some");
    return std::accumulate(items->begin() + 1, items->end(), items->front(), better);
  }
  throw Error(e.loc, "unknown function '" + e.text + "'");
}

}  // namespace

std::string ConfigValue::str() const {
  switch (v.index()) {
    case 0:
      return "null";
    case 1:
      return std::to_string(std::get<int64_t>(v));
    case 2:
      return attr_text(std::get<double>(v));
    case 3:
      return "\"" + std::get<std::string>(v) + "\"";
    default: {
      std::string out = "[";
      for (const auto& i : std::get<std::vector<ConfigValue>>(v)) {
        if (out.size() > kLongestShown) return out + ", …]";
        out += (out.size() > 1 ? ", " : "") + i.str();
      }
      return out + "]";
    }
  }
}

Budget expression_steps(uint64_t most) {
  return {most, "the expressions take more than " + std::to_string(most) + " steps"};
}

ConfigValue evaluate_expr(const Expr& e, const ConfigMap& config) {
  Budget steps = expression_steps(1'000'000);
  return evaluate_expr(e, config, steps);
}

ConfigValue evaluate_expr(const Expr& e, const ConfigMap& config, Budget& steps) {
  steps.take(1, e.loc);
  switch (e.kind) {
    case Expr::Kind::integer:
      return {e.integer};
    case Expr::Kind::real:
      return {e.real};
    case Expr::Kind::text:
      return {e.text};
    case Expr::Kind::name:
      if (e.text == "null") return {};
      if (e.text == "true" || e.text == "false") return {int64_t{e.text == "true"}};
      return {e.text};
    case Expr::Kind::config: {
      const auto it = config.find(e.text);
      if (it == config.end()) throw Error(e.loc, "$" + e.text + " is not defined in config: or let:");
      steps.take(size_of(it->second), e.loc);
      return it->second;
    }
    case Expr::Kind::list: {
      std::vector<ConfigValue> items;
      for (const Expr& a : e.args) items.push_back(evaluate_expr(a, config, steps));
      return {std::move(items)};
    }
    case Expr::Kind::unary: {
      const ConfigValue a = evaluate_expr(e.args[0], config, steps);
      if (e.text == "!") return {int64_t{!truth(a, e.loc)}};
      if (const auto* i = std::get_if<int64_t>(&a.v)) return {-*i};
      return {-real(a, e.loc)};
    }
    case Expr::Kind::binary:
      return binary(e, config, steps);
    case Expr::Kind::call:
      return call(e, config, steps);
    case Expr::Kind::value:
    case Expr::Kind::weight:
      break;
  }
  throw Error(e.loc, "expected a value or $config, found " + syntax::expr_text(e));
}

bool truth(const ConfigValue& v, const Location& at) {
  if (v.is_null()) return false;
  if (const auto* i = std::get_if<int64_t>(&v.v)) return *i != 0;
  throw Error(at, "expected true or false, found " + v.str());
}

int64_t whole(const ConfigValue& v, const Location& at, const std::string& what) {
  if (const auto* i = std::get_if<int64_t>(&v.v)) return *i;
  throw Error(at, what + " must be a whole number, found " + v.str());
}

double real(const ConfigValue& v, const Location& at) {
  if (const auto* i = std::get_if<int64_t>(&v.v)) return static_cast<double>(*i);
  if (const auto* d = std::get_if<double>(&v.v)) return *d;
  throw Error(at, "expected a number, found " + v.str());
}

Attr to_attr(const ConfigValue& v, const Location& at) {
  if (const auto* i = std::get_if<int64_t>(&v.v)) return *i;
  if (const auto* d = std::get_if<double>(&v.v)) return *d;
  if (const auto* s = std::get_if<std::string>(&v.v)) return *s;
  if (const auto* list = std::get_if<std::vector<ConfigValue>>(&v.v)) {
    std::vector<int64_t> integers;
    std::vector<double> reals;
    for (const ConfigValue& i : *list) {
      if (!is_number(i)) throw Error(at, "an item of the list must be a number, found " + i.str());
      if (const auto* w = std::get_if<int64_t>(&i.v)) integers.push_back(*w);
      reals.push_back(real(i, at));
    }
    if (integers.size() == reals.size()) return integers;
    return reals;
  }
  throw Error(at, "an attribute cannot be null");
}

}  // namespace lmc
