#include "passes/pattern/datum.h"

#include <algorithm>
#include <cmath>

#include "ir/names.h"

namespace lmc {
namespace {

using syntax::Expr;

std::optional<double> number(const Datum& d) {
  if (const auto* i = std::get_if<int64_t>(&d.v)) return static_cast<double>(*i);
  if (const auto* r = std::get_if<double>(&d.v)) return *r;
  return std::nullopt;
}

[[noreturn]] void expected(const std::string& what, const Expr& e, const Datum& found) {
  throw Error(e.loc, "expected " + what + ", found " + syntax::expr_text(e) + ", which is " + found.str());
}

double need_number(const Expr& e, const Datum& d) {
  if (const auto n = number(d)) return *n;
  expected("a number", e, d);
}

Datum whole_arithmetic(const Expr& e, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflow = false;
  if (e.text == "+") overflow = __builtin_add_overflow(a, b, &out);
  if (e.text == "-") overflow = __builtin_sub_overflow(a, b, &out);
  if (e.text == "*") overflow = __builtin_mul_overflow(a, b, &out);
  if (e.text == "/" || e.text == "%") {
    if (b == 0) throw Error(e.loc, "division by zero in " + syntax::expr_text(e));
    if (b == -1) {  // the one quotient that may not fit
      overflow = e.text == "/" && __builtin_sub_overflow(int64_t{0}, a, &out);
    } else if (e.text == "%") {
      out = a % b;
    } else if (a % b != 0) {
      return {static_cast<double>(a) / static_cast<double>(b)};
    } else {
      out = a / b;
    }
  }
  if (overflow) throw Error(e.loc, syntax::expr_text(e) + " is no whole number of 64 bits");
  return {out};
}

Datum arithmetic(const Expr& e, const Datum& a, const Datum& b) {
  const auto* x = std::get_if<int64_t>(&a.v);
  const auto* y = std::get_if<int64_t>(&b.v);
  if (x && y) return whole_arithmetic(e, *x, *y);
  const double left = need_number(e.args[0], a);
  const double right = need_number(e.args[1], b);
  if (e.text == "+") return {left + right};
  if (e.text == "-") return {left - right};
  if (e.text == "*") return {left * right};
  if (right == 0) throw Error(e.loc, "division by zero in " + syntax::expr_text(e));
  return {e.text == "/" ? left / right : std::fmod(left, right)};
}

bool compare(const Expr& e, const Datum& a, const Datum& b) {
  if (e.text == "==") return datum_equal(a, b);
  if (e.text == "!=") return !datum_equal(a, b);
  if (e.text == "in") {
    const auto* list = std::get_if<std::vector<Datum>>(&b.v);
    if (!list) expected("a list behind 'in'", e.args[1], b);
    return std::any_of(list->begin(), list->end(), [&](const Datum& d) { return datum_equal(a, d); });
  }
  const double left = need_number(e.args[0], a);
  const double right = need_number(e.args[1], b);
  if (e.text == "<") return left < right;
  if (e.text == ">") return left > right;
  return e.text == "<=" ? left <= right : left >= right;
}

Datum binary(const Expr& e, const BoundNames& b) {
  if (e.text == "&&") return {holds(e.args[0], b) && holds(e.args[1], b)};
  if (e.text == "||") return {holds(e.args[0], b) || holds(e.args[1], b)};
  const Datum left = evaluate(e.args[0], b);
  const Datum right = evaluate(e.args[1], b);
  const bool arithmetical = e.text.size() == 1 && e.text != "<" && e.text != ">";
  if (arithmetical) return arithmetic(e, left, right);
  return {compare(e, left, right)};
}

const TextFunction* find_function(const std::string& name) {
  for (const TextFunction& f : text_functions()) {
    if (f.name == name) return &f;
  }
  return nullptr;
}

// `sigil`: what stands in front of such a name.
void check_name(const Expr& e, const std::set<std::string>& known, const std::string& sigil,
                const std::string& what) {
  if (known.contains(e.text)) return;
  const std::string nearest = nearest_name(e.text, {known.begin(), known.end()});
  throw Error(e.loc, sigil + e.text + " is no " + what +
                         (nearest.empty() ? "" : "; did you mean " + sigil + nearest + "?"));
}

void check_call(const Expr& e, const KnownNames& known) {
  const TextFunction* f = find_function(e.text);
  if (!f) {
    std::vector<std::string> names;
    for (const TextFunction& t : text_functions()) names.push_back(t.name);
    throw Error(e.loc, "unknown function '" + e.text + "'" + did_you_mean(e.text, names));
  }
  if (f->arguments.size() != e.args.size()) {
    throw Error(e.loc, e.text + " takes " + std::to_string(f->arguments.size()) + " arguments, found " +
                           std::to_string(e.args.size()));
  }
  for (size_t i = 0; i < e.args.size(); ++i) {
    const Expr& a = e.args[i];
    if (f->arguments[i] == TextFunction::Argument::value && a.kind != Expr::Kind::value)
      throw Error(a.loc, e.text + " is asked of a value such as %w, found " + syntax::expr_text(a));
    if (f->arguments[i] == TextFunction::Argument::word && a.kind != Expr::Kind::name)
      throw Error(a.loc, e.text + " is given a name here, found " + syntax::expr_text(a));
    if (e.text == "setting") check_name(a, known.settings, "", "setting of this pass");
    check_expression(a, known);
  }
}

}  // namespace

std::string Datum::str() const {
  if (const auto* t = std::get_if<bool>(&v)) return *t ? "true" : "false";
  if (const auto* i = std::get_if<int64_t>(&v)) return std::to_string(*i);
  if (const auto* d = std::get_if<double>(&v)) return attr_text(*d);
  if (const auto* s = std::get_if<std::string>(&v)) return s->empty() ? "\"\"" : *s;
  const auto* items = std::get_if<std::vector<Datum>>(&v);
  if (!items) return "a value of the graph";
  std::string out;
  for (const Datum& d : *items) out += (out.empty() ? "" : ",") + d.str();
  return "[" + out + "]";
}

Datum from_attr(const Attr& a) {
  if (const auto* i = std::get_if<int64_t>(&a)) return {*i};
  if (const auto* d = std::get_if<double>(&a)) return {*d};
  if (const auto* s = std::get_if<std::string>(&a)) return {*s};
  std::vector<Datum> items;
  if (const auto* reals = std::get_if<std::vector<double>>(&a)) {
    for (double d : *reals) items.push_back({d});
    return {items};
  }
  for (int64_t i : std::get<std::vector<int64_t>>(a)) items.push_back({i});
  return {items};
}

bool datum_equal(const Datum& a, const Datum& b) {
  const auto x = number(a);
  const auto y = number(b);
  if (x && y && a.v.index() != b.v.index()) return *x == *y;
  if (a.v.index() != b.v.index()) return false;
  if (const auto* items = std::get_if<std::vector<Datum>>(&a.v)) {
    const auto& others = std::get<std::vector<Datum>>(b.v);
    return std::equal(items->begin(), items->end(), others.begin(), others.end(), datum_equal);
  }
  if (const auto* t = std::get_if<bool>(&a.v)) return *t == std::get<bool>(b.v);
  if (const auto* i = std::get_if<int64_t>(&a.v)) return *i == std::get<int64_t>(b.v);
  if (const auto* d = std::get_if<double>(&a.v)) return *d == std::get<double>(b.v);
  if (const auto* s = std::get_if<std::string>(&a.v)) return *s == std::get<std::string>(b.v);
  return std::get<ValueId>(a.v) == std::get<ValueId>(b.v);
}

ValueId value_of(const Expr& e, const BoundNames& b) {
  if (b.values) {
    if (const auto it = b.values->find(e.text); it != b.values->end()) return it->second;
  }
  throw Error(e.loc, "%" + e.text + " is not there; ask has(%" + e.text + ") first");
}

Datum evaluate(const Expr& e, const BoundNames& b) {
  switch (e.kind) {
    case Expr::Kind::integer:
      return {e.integer};
    case Expr::Kind::real:
      return {e.real};
    case Expr::Kind::name:
    case Expr::Kind::text:
      return {e.text};
    case Expr::Kind::value:
      return {value_of(e, b)};
    case Expr::Kind::config: {
      if (b.captures) {
        if (const auto it = b.captures->find(e.text); it != b.captures->end()) return from_attr(it->second);
      }
      throw Error(e.loc, "$" + e.text + " is not there: the statement that captures it did not match");
    }
    case Expr::Kind::list: {
      std::vector<Datum> items;
      for (const Expr& a : e.args) items.push_back(evaluate(a, b));
      return {items};
    }
    case Expr::Kind::unary: {
      if (e.text == "!") return {!holds(e.args[0], b)};
      const Datum d = evaluate(e.args[0], b);
      const auto* i = std::get_if<int64_t>(&d.v);
      if (i && *i != INT64_MIN) return {-*i};
      return {-need_number(e.args[0], d)};
    }
    case Expr::Kind::binary:
      return binary(e, b);
    case Expr::Kind::call:
      if (const TextFunction* f = find_function(e.text)) return f->run(e, b);
      break;
    case Expr::Kind::weight:
      break;
  }
  throw Error(e.loc, syntax::expr_text(e) + " means nothing here");
}

bool holds(const Expr& e, const BoundNames& b) {
  const Datum d = evaluate(e, b);
  if (const auto* t = std::get_if<bool>(&d.v)) return *t;
  expected("something that holds or does not", e, d);
}

Attr to_attr(const Datum& d, const Location& at) {
  if (const auto* i = std::get_if<int64_t>(&d.v)) return *i;
  if (const auto* r = std::get_if<double>(&d.v)) return *r;
  if (const auto* s = std::get_if<std::string>(&d.v)) return *s;
  if (const auto* items = std::get_if<std::vector<Datum>>(&d.v)) {
    std::vector<int64_t> whole;
    std::vector<double> reals;
    for (const Datum& item : *items) {
      const std::optional<double> n = number(item);
      if (!n) throw Error(at, "expected a number in the list, found " + item.str());
      if (const auto* i = std::get_if<int64_t>(&item.v)) whole.push_back(*i);
      reals.push_back(*n);
    }
    if (whole.size() == reals.size()) return whole;
    return reals;
  }
  throw Error(at, "expected a number, a name or a list, found " + d.str());
}

void check_expression(const Expr& e, const KnownNames& known) {
  if (e.kind == Expr::Kind::weight) throw Error(e.loc, "weights are called by their %value here");
  if (e.kind == Expr::Kind::value) return check_name(e, known.values, "%", "value of the pattern");
  if (e.kind == Expr::Kind::config) {
    return check_name(e, known.captures, "$", "capture of the pattern");
  }
  if (e.kind == Expr::Kind::call) return check_call(e, known);
  for (const Expr& a : e.args) check_expression(a, known);
}

}  // namespace lmc
