#include "passes/pattern/match.h"

#include <algorithm>

#include "passes/pattern/fit.h"
#include "passes/pattern/pattern_check.h"
#include "passes/pattern/search.h"

namespace lmc {
namespace {

using syntax::Expr;

bool is_constant(const Expr& e) {
  return e.kind != Expr::Kind::value && e.kind != Expr::Kind::weight && e.kind != Expr::Kind::config &&
         std::all_of(e.args.begin(), e.args.end(), is_constant);
}

PatternStatement prepare(syntax::Statement text) {
  PatternStatement s;
  s.ops = ops_named(text.op, text.loc);
  for (const auto& a : text.attrs) {
    PatternStatement::AttrTest test{a.name, "", {}};
    if (a.value.kind == Expr::Kind::config) {
      test.capture = a.value.text;
    } else {
      if (!is_constant(a.value)) {
        throw Error(a.loc, "an attribute of a pattern is a constant or a $capture to compare later, found " +
                               syntax::expr_text(a.value));
      }
      check_expression(a.value, {});
      test.constant = to_attr(evaluate(a.value, {}), a.value.loc);
    }
    s.attrs.push_back(std::move(test));
  }
  for (const auto& o : text.operands) s.required_operands += !o.optional;
  s.text = std::move(text);
  return s;
}

}  // namespace

ValueId Match::operator[](const std::string& variable) const {
  const auto it = values.find(variable);
  if (it == values.end())
    throw Error("the match has no %" + variable + "; ask has(\"" + variable + "\") first");
  return it->second;
}

const Attr& Match::attr(const std::string& capture) const {
  const auto it = captures.find(capture);
  if (it == captures.end()) throw Error("the match has captured no $" + capture);
  return it->second;
}

bool PatternStatement::may_be(const OpDef* def) const {
  return std::find(ops.begin(), ops.end(), def) != ops.end();
}

std::string PatternStatement::str() const {
  std::string out = text.op;
  for (const AttrTest& a : attrs) {
    if (a.capture.empty()) out += " " + a.name + "=" + attr_text(a.constant);
  }
  return out;
}

Pattern::Pattern(const std::string& text, const Location& at, bool open) : at_(at), open_(open) {
  std::vector<syntax::Statement> statements = read_statements(text, at, 'p');
  check_pattern(statements, at);
  for (auto& s : statements) statements_.push_back(prepare(std::move(s)));
  while (statements_[anchor_].text.optional) ++anchor_;
}

std::vector<OpId> Pattern::anchors(const Graph& g) const {
  const PatternStatement& first = statements_[anchor_];
  std::vector<OpId> out;
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    if (first.may_be(op.def) && constants_differ(first, op).empty()) out.push_back(id);
  }
  return out;
}

std::vector<Match> Pattern::readings(const Graph& g, OpId anchor, const Refusal& refusal, size_t most,
                                     std::string* near) const {
  return Search(g, *this, refusal, most, near).run(anchor);
}

std::optional<Match> Pattern::match_at(const Graph& g, OpId anchor, std::string* near) const {
  std::vector<Match> found = readings(g, anchor, nullptr, 1, near);
  if (found.empty()) return std::nullopt;
  return std::move(found[0]);
}

KnownNames Pattern::names() const {
  KnownNames out;
  for (const PatternStatement& s : statements_) {
    out.values.insert(s.text.results.begin(), s.text.results.end());
    for (const auto& o : s.text.operands) out.values.insert(o.name);
    for (const auto& a : s.attrs) {
      if (!a.capture.empty()) out.captures.insert(a.capture);
    }
  }
  return out;
}

}  // namespace lmc
