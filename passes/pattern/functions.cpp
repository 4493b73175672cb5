// The functions that conditions and replacements may call, with their documentation.
#include <algorithm>
#include <cmath>

#include "ir/op_def.h"
#include "ir/readers.h"
#include "passes/pattern/datum.h"

namespace lmc {
namespace {

using syntax::Expr;
using Argument = TextFunction::Argument;

double number(const Expr& e, const BoundNames& b) {
  const Datum d = evaluate(e, b);
  if (const auto* i = std::get_if<int64_t>(&d.v)) return static_cast<double>(*i);
  if (const auto* r = std::get_if<double>(&d.v)) return *r;
  throw Error(e.loc, "expected a number, found " + d.str());
}

Datum dimension(int64_t n) {
  if (n < 0) return {dim_name(n)};
  return {n};
}

TextFunction about_type(const std::string& name, const std::string& doc, Datum (*f)(const Type&)) {
  return {name, {Argument::value}, doc, [f](const Expr& call, const BoundNames& b) {
            return f(b.graph->type(value_of(call.args[0], b)));
          }};
}

TextFunction about_value(const std::string& name, const std::string& doc, Datum (*f)(const Graph&, ValueId)) {
  return {name, {Argument::value}, doc, [f](const Expr& call, const BoundNames& b) {
            return f(*b.graph, value_of(call.args[0], b));
          }};
}

TextFunction of_numbers(const std::string& name, const std::string& doc, bool (*second)(double, double)) {
  return {name, {Argument::number, Argument::number}, doc, [second](const Expr& call, const BoundNames& b) {
            const bool chosen = second(number(call.args[0], b), number(call.args[1], b));
            return evaluate(call.args[chosen ? 1 : 0], b);
          }};
}

Datum attribute(const Graph& g, ValueId v, const std::string& name) {
  const Op* op = g.def_op(v);
  const auto it = op ? op->attrs.find(name) : AttrMap::const_iterator{};
  if (!op || it == op->attrs.end()) return {std::string()};
  return from_attr(it->second);
}

// Up from the value; an activation meets an input, and then it is none.
bool constant(const Graph& g, ValueId v) {
  std::set<ValueId> seen{v};
  std::vector<ValueId> pending{v};
  while (!pending.empty()) {
    const Value& at = g.value(pending.back());
    pending.pop_back();
    if (at.kind == ValueKind::weight) continue;
    if (at.kind == ValueKind::input || g.op(at.def).operands.empty()) return false;
    for (ValueId o : g.op(at.def).operands) {
      if (seen.insert(o).second) pending.push_back(o);
    }
  }
  return true;
}

std::string maker(const Graph& g, ValueId v) {
  const Value& value = g.value(v);
  if (value.kind == ValueKind::result) return g.op(value.def).def->name;
  return value.kind == ValueKind::input ? "input" : "weight";
}

int64_t count_readers(const Graph& g, ValueId v) {
  return static_cast<int64_t>(g.value(v).uses.size()) + std::count(g.outputs().begin(), g.outputs().end(), v);
}

bool reshaped(const Graph& g, ValueId v) {
  bool out = false;
  for_each_reader(g, v, [&](const Graph& at, const Use& u) { out |= at.op(u.op).def->name == "reshape"; });
  return out;
}

std::vector<TextFunction> make_functions() {
  std::vector<TextFunction> out = {
      about_type("dtype", "f32, f16, bf16, i32, q8_0, kv_f16, kv_f32, kv_q8_0 or state_f32",
                 [](const Type& t) { return Datum{std::string(dtype_name(t.dtype))}; }),
      about_type("type", "the whole type, \"f32[T,64]\"", [](const Type& t) { return Datum{t.str()}; }),
      about_type("rank", "how many dimensions", [](const Type& t) { return Datum{t.rank()}; }),
      about_type("rows", "the first dimension; T where it is the tokens of the step",
                 [](const Type& t) { return dimension(t.dims.empty() ? 1 : t.dims[0]); }),
      about_type("cols", "the last dimension", [](const Type& t) { return dimension(t.last()); }),
      about_value("uses", "how often it is read, as an output of the graph too",
                  [](const Graph& g, ValueId v) { return Datum{count_readers(g, v)}; }),
      about_value("one_use", "uses(%v) == 1",
                  [](const Graph& g, ValueId v) { return Datum{count_readers(g, v) == 1}; }),
      about_value("output", "is it an output of the graph?",
                  [](const Graph& g, ValueId v) { return Datum{g.is_output(v)}; }),
      about_value("reshaped", "does anything read it in another shape, within groups too?",
                  [](const Graph& g, ValueId v) { return Datum{reshaped(g, v)}; }),
      about_value("constant", "does it depend on weights alone, so that it is known when compiling?",
                  [](const Graph& g, ValueId v) { return Datum{constant(g, v)}; }),
      about_value("op", "the op that makes it, or input, or weight",
                  [](const Graph& g, ValueId v) { return Datum{maker(g, v)}; }),
      about_value("role", "attr(%v, role)",
                  [](const Graph& g, ValueId v) { return attribute(g, v, "role"); }),
      about_value(
          "scope", "the part of the model it is made in, layers.0.attention",
          [](const Graph& g, ValueId v) { return Datum{g.def_op(v) ? g.def_op(v)->scope : std::string()}; }),
      {"attr",
       {Argument::value, Argument::word},
       "an attribute of the op that makes it, \"\" if there is none",
       [](const Expr& call, const BoundNames& b) {
         return attribute(*b.graph, value_of(call.args[0], b), call.args[1].text);
       }},
      {"has",
       {Argument::value},
       "did the optional operand or statement match?",
       [](const Expr& call, const BoundNames& b) { return Datum{b.values->contains(call.args[0].text)}; }},
      {"setting",
       {Argument::word},
       "what --set pass.name=… says, or its default",
       [](const Expr& call, const BoundNames& b) { return Datum{b.settings->at(call.args[0].text)}; }},
      {"abs",
       {Argument::number},
       "without its sign",
       [](const Expr& call, const BoundNames& b) { return Datum{std::fabs(number(call.args[0], b))}; }},
      {"sqrt",
       {Argument::number},
       "the square root",
       [](const Expr& call, const BoundNames& b) {
         const double x = number(call.args[0], b);
         if (x < 0) throw Error(call.loc, "the square root of a number below 0");
         return Datum{std::sqrt(x)};
       }},
      of_numbers("max", "the larger", [](double a, double b) { return b > a; }),
      of_numbers("min", "the smaller", [](double a, double b) { return b < a; }),
  };
  std::sort(out.begin(), out.end(),
            [](const TextFunction& a, const TextFunction& b) { return a.name < b.name; });
  return out;
}

}  // namespace

const std::vector<TextFunction>& text_functions() {
  static const std::vector<TextFunction> functions = make_functions();
  return functions;
}

}  // namespace lmc
