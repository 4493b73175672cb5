#include "passes/rewrite.h"

#include <algorithm>
#include <set>

#include "ir/graph_algorithms.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

using syntax::Expr;

int64_t integer(const Expr& e, const Graph& g, const std::map<std::string, ValueId>& values) {
  switch (e.kind) {
    case Expr::Kind::integer:
      return e.integer;
    case Expr::Kind::unary:
      return -integer(e.args[0], g, values);
    case Expr::Kind::binary: {
      const int64_t a = integer(e.args[0], g, values);
      const int64_t b = integer(e.args[1], g, values);
      if (e.text == "+") return a + b;
      if (e.text == "-") return a - b;
      if (e.text == "*") return a * b;
      if (e.text == "/" && b != 0) return a / b;
      break;
    }
    case Expr::Kind::call:
      if ((e.text == "rows" || e.text == "cols") && e.args.size() == 1 &&
          e.args[0].kind == Expr::Kind::value) {
        const auto it = values.find(e.args[0].text);
        if (it == values.end()) throw Error(e.loc, "%" + e.args[0].text + " is not defined");
        const Type& t = g.type(it->second);
        return e.text == "rows" ? t.dims.at(0) : t.last();
      }
      break;
    default:
      break;
  }
  throw Error(e.loc, "expected a whole number, rows(%w) or cols(%w), found " + syntax::expr_text(e));
}

Attr attribute(const Expr& e, const Graph& g, const std::map<std::string, ValueId>& values) {
  if (e.kind == Expr::Kind::name || e.kind == Expr::Kind::text) return e.text;
  if (e.kind == Expr::Kind::real) return e.real;
  if (e.kind == Expr::Kind::list) {
    std::vector<int64_t> out;
    for (const Expr& i : e.args) out.push_back(integer(i, g, values));
    return out;
  }
  return integer(e, g, values);
}

// Erases ops from the last to the first, so that results are unused when their op goes.
void erase_all(Graph& g, std::vector<OpId> ops) {
  std::vector<uint32_t> rank(g.num_op_ids(), 0);
  uint32_t n = 0;
  for (OpId id : topo_order(g)) rank[id.v] = n++;
  std::sort(ops.begin(), ops.end(), [&](OpId a, OpId b) { return rank[a.v] > rank[b.v]; });
  for (OpId id : ops) g.erase_op(id);
}

}  // namespace

Rewrite::Rewrite(const std::string& text, const std::string& origin)
    : statements_(syntax::parse_statements(text, origin)) {}

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
  std::map<std::string, ValueId> values = m.values;
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
    const OpId id = g.add_op(get_op(s.op), operands, attrs, names, scope, loc);
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
  erase_all(g, m.ops);
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
  if (!is_convex(g, ops)) return "an op between the matched ones depends on some and feeds others";
  return "";
}

OpId make_group(Graph& g, const std::vector<OpId>& matched, const std::string& name) {
  std::set<uint32_t> inside;
  for (OpId id : matched) inside.insert(id.v);
  std::vector<OpId> ops;
  for (OpId id : topo_order(g)) {
    if (inside.contains(id.v)) ops.push_back(id);
  }
  auto body = std::make_unique<Graph>(name);
  std::map<ValueId, ValueId> map;
  std::vector<ValueId> inputs, outputs;
  for (OpId id : ops) {
    for (ValueId v : g.op(id).operands) {
      const bool made_here = g.def_op(v) && inside.contains(g.value(v).def.v);
      if (made_here || map.contains(v)) continue;
      std::string wanted = g.value(v).name;
      while (body->find_input(wanted).valid()) wanted += "_";
      map[v] = body->add_input(wanted, g.type(v));
      inputs.push_back(v);
    }
  }
  for (OpId id : ops) {
    const Op& op = g.op(id);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(map.at(v));
    std::vector<std::string> names;
    for (ValueId r : op.results) names.push_back(g.value(r).name);
    std::unique_ptr<Graph> inner = op.body ? std::make_unique<Graph>(op.body->clone()) : nullptr;
    const OpId copy = body->add_op(*op.def, operands, op.attrs, names, "", op.loc, std::move(inner));
    for (size_t i = 0; i < op.results.size(); ++i) {
      const ValueId r = op.results[i];
      map[r] = body->result(copy, i);
      const auto& uses = g.value(r).uses;
      const bool outside =
          std::any_of(uses.begin(), uses.end(), [&](const Use& u) { return !inside.contains(u.op.v); });
      if (outside || g.is_output(r)) outputs.push_back(r);
    }
  }
  std::vector<ValueId> body_outputs;
  std::vector<std::string> names;
  for (ValueId v : outputs) {
    body_outputs.push_back(map.at(v));
    names.push_back(g.value(v).name);
  }
  body->set_outputs(body_outputs);
  const OpId group = g.add_op(get_op("group"), inputs, {{"name", name}}, names, g.op(ops.back()).scope,
                              g.op(ops[0]).loc, std::move(body));
  for (size_t i = 0; i < outputs.size(); ++i) g.replace_all_uses(outputs[i], g.result(group, i));
  erase_all(g, ops);
  for (size_t i = 0; i < outputs.size(); ++i) g.rename(g.result(group, i), names[i]);
  return group;
}

}  // namespace lmc
