#include "passes/rewrite.h"

#include <algorithm>
#include <set>

#include "ir/op_def.h"
#include "passes/op_set.h"

namespace lmc {
namespace {

using syntax::Expr;

using Values = std::map<std::string, ValueId>;

int64_t dimension(const Expr& e, const Graph& g, const Values& values) {
  const auto it = values.find(e.args[0].text);
  if (it == values.end()) throw Error(e.loc, "%" + e.args[0].text + " is not defined");
  const Type& t = g.type(it->second);
  if (t.dims.empty() || !t.is_static()) {
    throw Error(e.loc, syntax::expr_text(e) + ": %" + e.args[0].text + " is " + t.str() +
                           ", which is no matrix of known size");
  }
  return e.text == "rows" ? t.dims.front() : t.last();
}

int64_t integer(const Expr& e, const Graph& g, const Values& values) {
  int64_t out = 0;
  bool good = false;
  if (e.kind == Expr::Kind::integer) return e.integer;
  if (e.kind == Expr::Kind::call && (e.text == "rows" || e.text == "cols") && e.args.size() == 1 &&
      e.args[0].kind == Expr::Kind::value) {
    return dimension(e, g, values);
  }
  if (e.kind == Expr::Kind::unary && e.text == "-") {
    good = !__builtin_sub_overflow(int64_t{0}, integer(e.args[0], g, values), &out);
  } else if (e.kind == Expr::Kind::binary) {
    const int64_t a = integer(e.args[0], g, values);
    const int64_t b = integer(e.args[1], g, values);
    if (e.text == "+") good = !__builtin_add_overflow(a, b, &out);
    if (e.text == "-") good = !__builtin_sub_overflow(a, b, &out);
    if (e.text == "*") good = !__builtin_mul_overflow(a, b, &out);
    if (e.text == "/" && b > 0) {
      out = a / b;
      good = true;
    }
  }
  if (good) return out;
  throw Error(e.loc, "expected a whole number, rows(%w) or cols(%w), found " + syntax::expr_text(e));
}

Attr attribute(const Expr& e, const Graph& g, const Values& values) {
  if (e.kind == Expr::Kind::name || e.kind == Expr::Kind::text) return e.text;
  if (e.kind == Expr::Kind::real) return e.real;
  if (e.kind == Expr::Kind::list) {
    std::vector<int64_t> out;
    for (const Expr& i : e.args) out.push_back(integer(i, g, values));
    return out;
  }
  return integer(e, g, values);
}

// A mistake here is one of the pass's text, so that is the place it names.
OpId add_statement(Graph& g, const syntax::Statement& s, const std::vector<ValueId>& operands,
                   const AttrMap& attrs, const std::vector<std::string>& names, const std::string& scope,
                   const Location& loc) {
  try {
    return g.add_op(get_op(s.op), operands, attrs, names, scope, loc);
  } catch (const Error& e) {
    throw Error(s.loc, std::string("the replacement does not fit: ") + e.what());
  }
}

}  // namespace

Rewrite::Rewrite(const std::string& text, const std::string& origin, int first_line)
    : statements_(syntax::parse_statements(text, origin, first_line)) {
  if (statements_.empty()) throw Error(Location{origin, first_line}, "the replacement is empty");
}

void Rewrite::check(const std::vector<syntax::Statement>& pattern) const {
  std::set<std::string> made;  // by the pattern
  std::set<std::string> readable;
  for (const auto& s : pattern) made.insert(s.results.begin(), s.results.end());
  for (const auto& s : pattern) {
    for (const auto& o : s.operands) {
      if (!made.contains(o.name)) readable.insert(o.name);
    }
  }
  const std::set<std::string> outside = readable;
  std::set<std::string> defined;
  for (const auto& s : statements_) {
    if (s.body || !s.types.empty()) throw Error(s.loc, "a replacement states neither types nor bodies");
    for (const auto& o : s.operands) {
      if (o.kind != syntax::Operand::Kind::value) throw Error(o.loc, "operands of a replacement are %values");
      if (readable.contains(o.name)) continue;
      throw Error(o.loc, "%" + o.name +
                             (made.contains(o.name) ? " is made by a matched op, which is replaced"
                                                    : " is not defined"));
    }
    for (const std::string& r : s.results) {
      if (outside.contains(r))
        throw Error(s.loc, "%" + r + " comes from outside the match and cannot be redefined");
      if (!defined.insert(r).second) throw Error(s.loc, "%" + r + " is defined twice");
      readable.insert(r);
    }
  }
}

std::vector<std::string> Rewrite::vanishing(const std::vector<syntax::Statement>& pattern) const {
  std::set<std::string> defined;
  for (const auto& s : statements_) defined.insert(s.results.begin(), s.results.end());
  std::vector<std::string> out;
  for (const auto& s : pattern) {
    for (const std::string& r : s.results) {
      if (!defined.contains(r)) out.push_back(r);
    }
  }
  return out;
}

void Rewrite::apply(Graph& g, const Match& m) const {
  Values values = m.values;
  const std::string scope = g.op(m.ops[0]).scope;
  const Location loc = g.op(m.ops[0]).loc;
  for (const auto& s : statements_) {
    std::vector<ValueId> operands;
    for (const auto& o : s.operands) {
      const auto it = values.find(o.name);
      if (o.kind != syntax::Operand::Kind::value || it == values.end())
        throw Error(o.loc, "%" + o.name + " is not defined");
      operands.push_back(it->second);
    }
    AttrMap attrs;
    for (const auto& a : s.attrs) attrs[a.name] = attribute(a.value, g, values);
    std::vector<std::string> names;
    for (const std::string& r : s.results) {
      names.push_back(m.values.contains(r) ? g.value(m.values.at(r)).name : r);
    }
    const OpId id = add_statement(g, s, operands, attrs, names, scope, loc);
    if (g.op(id).results.size() != s.results.size())
      throw Error(s.loc, s.op + " has another number of results");
    for (size_t i = 0; i < s.results.size(); ++i) {
      const ValueId made = g.result(id, i);
      values[s.results[i]] = made;
      const auto old = m.values.find(s.results[i]);
      if (old == m.values.end()) continue;
      if (g.type(old->second) != g.type(made)) {
        throw Error(s.loc, "%" + s.results[i] + " would change from " + g.type(old->second).str() + " to " +
                               g.type(made).str());
      }
    }
  }
  std::vector<std::pair<ValueId, std::string>> replaced;
  for (const auto& s : statements_) {
    for (const std::string& r : s.results) {
      if (const auto old = m.values.find(r); old != m.values.end()) {
        replaced.emplace_back(values.at(r), g.value(old->second).name);
        g.replace_all_uses(old->second, values.at(r));
      }
    }
  }
  erase_ops(g, m.ops);
  for (const auto& [v, name] : replaced) g.rename(v, name);
}

std::string replace_obstacle(const Graph& g, const std::vector<OpId>& ops,
                             const std::vector<ValueId>& vanishing) {
  for (ValueId v : vanishing) {
    if (g.is_output(v)) return "%" + g.value(v).name + " is an output of the graph";
    for (const Use& u : g.value(v).uses) {
      if (std::find(ops.begin(), ops.end(), u.op) == ops.end()) {
        return "%" + g.value(v).name + " is also read by " + g.op(u.op).def->name + " %" +
               g.value(g.op(u.op).results[0]).name;
      }
    }
  }
  if (!is_convex_locally(g, ops)) return "an op between the matched ones depends on some and feeds others";
  return "";
}

}  // namespace lmc
