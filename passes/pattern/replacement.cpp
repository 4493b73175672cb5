#include "passes/pattern/replacement.h"

#include <algorithm>

#include "ir/op_def.h"

namespace lmc {
namespace {

using syntax::Statement;

}  // namespace

bool made_by_match(const Match& m, ValueId v) {
  const Value& value = m.graph->value(v);
  return value.kind == ValueKind::result && std::find(m.ops.begin(), m.ops.end(), value.def) != m.ops.end();
}

Replacement::Replacement(Graph& to, const Pattern& pattern, const Match& m,
                         std::function<ValueId(ValueId)> import)
    : to_(to),
      pattern_(pattern),
      m_(m),
      import_(std::move(import)),
      scope_(m.graph->op(m.ops[0]).scope),
      loc_(m.graph->op(m.ops[0]).loc) {
  for (const auto& [name, v] : m.values) values_[name] = import_(v);
}

void Replacement::add(const Statement& s) {
  if (s.optional) {
    // Made again only if it was there; or only if all it reads is there.
    if (absent(s)) return add_alias(s);
    for (const auto& o : s.operands) {
      if (!o.optional && !values_.contains(o.name)) return;
    }
  }
  AttrMap attrs;
  const BoundNames names{&to_, &values_, &m_.captures, m_.settings};
  for (const auto& a : s.attrs) attrs[a.name] = to_attr(evaluate(a.value, names), a.value.loc);
  if (s.capture.empty()) return add_op(s, get_op(s.op), std::move(attrs));

  const std::vector<OpId>& captured = m_.captured_ops.at(s.capture);
  if (captured.empty()) return add_alias(s);
  const auto& statements = pattern_.statements();
  const bool chain = std::any_of(statements.begin(), statements.end(), [&](const PatternStatement& p) {
    return p.text.capture == s.capture && p.text.repeat;
  });
  if (chain) return add_chain(s, captured);
  const Op& like = m_.graph->op(captured[0]);
  attrs.insert(like.attrs.begin(), like.attrs.end());
  add_op(s, *like.def, std::move(attrs));
}

// Does the statement stand for an optional one of the pattern that did not match?
bool Replacement::absent(const Statement& s) const {
  for (size_t i = 0; i < pattern_.statements().size(); ++i) {
    const Statement& p = pattern_.statements()[i].text;
    if (p.optional && p.results == s.results) return m_.by_statement[i].empty();
  }
  return false;
}

void Replacement::add_alias(const Statement& s) { define(s, s.results[0], values_.at(s.operands[0].name)); }

// A mistake here is one of the pass's text, so that is the place it names.
void Replacement::add_op(const Statement& s, const OpDef& def, AttrMap attrs) {
  std::vector<std::string> names;
  for (const std::string& r : s.results) names.push_back(name_for(s, r));
  OpId id;
  try {
    id = to_.add_op(def, operands(s), std::move(attrs), names, scope_, loc_);
  } catch (const Error& e) {
    throw Error(s.loc, std::string("the replacement does not fit: ") + e.what());
  }
  if (to_.op(id).results.size() != s.results.size())
    throw Error(s.loc, def.name + " has " + std::to_string(to_.op(id).results.size()) + " results");
  for (size_t i = 0; i < s.results.size(); ++i) define(s, s.results[i], to_.result(id, i));
}

// The same ops behind another value; what else they read stays.
void Replacement::add_chain(const Statement& s, const std::vector<OpId>& chain) {
  const Graph& from = *m_.graph;
  const auto start = std::find_if(pattern_.statements().begin(), pattern_.statements().end(),
                                  [&](const PatternStatement& p) { return p.text.capture == s.capture; });
  ValueId old = m_.values.at(start->text.operands[0].name);
  ValueId now = operands(s).at(0);
  for (OpId id : chain) {
    const Op& link = from.op(id);
    const OpDef& def = *link.def;
    const ValueId result = link.results[0];
    std::vector<ValueId> reads;
    for (ValueId v : link.operands) reads.push_back(v == old ? now : import_(v));
    const AttrMap attrs = link.attrs;
    const std::string name = id == chain.back() ? name_for(s, s.results[0]) : from.value(result).name;
    try {
      now = to_.result(to_.add_op(def, reads, attrs, {name}, scope_, loc_));
    } catch (const Error& e) {
      throw Error(s.loc, std::string("the replacement does not fit: ") + e.what());
    }
    if (id != chain.back()) replaced_.push_back({result, now});  // for its name; nobody else reads it
    old = result;
  }
  define(s, s.results[0], now);
}

std::vector<ValueId> Replacement::operands(const Statement& s) const {
  std::vector<ValueId> out;
  for (const auto& o : s.operands) {
    const auto it = values_.find(o.name);
    if (it != values_.end()) {
      out.push_back(it->second);
    } else if (!o.optional) {
      throw Error(o.loc, "%" + o.name + " is not there");
    }
  }
  return out;
}

void Replacement::define(const Statement& s, const std::string& variable, ValueId made) {
  values_[variable] = made;
  const auto it = m_.values.find(variable);
  if (it == m_.values.end() || !made_by_match(m_, it->second)) return;
  const ValueId old = it->second;
  const auto before =
      std::find_if(replaced_.begin(), replaced_.end(), [&](const Replaced& r) { return r.old == old; });
  if (before != replaced_.end()) {
    if (before->made == made) return;
    throw Error(s.loc, "%" + variable +
                           " is defined a second time: here it is what an optional statement reads, too");
  }
  if (m_.graph->type(old) != to_.type(made)) {
    throw Error(s.loc, "%" + variable + " would change from " + m_.graph->type(old).str() + " to " +
                           to_.type(made).str());
  }
  replaced_.push_back({old, made});
}

std::string Replacement::name_for(const Statement& s, const std::string& variable) const {
  if (const auto it = m_.values.find(variable); it != m_.values.end())
    return m_.graph->value(it->second).name;
  if (!is_hidden(variable)) return variable;
  return s.op.empty() ? s.capture : s.op;
}

}  // namespace lmc
