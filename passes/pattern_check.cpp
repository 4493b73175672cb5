#include "passes/pattern_check.h"

#include <algorithm>
#include <set>

#include "ir/op_def.h"

namespace lmc {
namespace {

using syntax::Expr;
using syntax::Statement;

bool is_constant(const Expr& e) {
  if (e.kind == Expr::Kind::list) {
    return std::all_of(e.args.begin(), e.args.end(),
                       [](const Expr& i) { return i.kind == Expr::Kind::integer; });
  }
  return e.kind == Expr::Kind::integer || e.kind == Expr::Kind::real || e.kind == Expr::Kind::name ||
         e.kind == Expr::Kind::text;
}

const OpDef& known_op(const std::string& name, const Location& at) {
  try {
    return get_op(name);
  } catch (const Error& e) {
    throw Error(at, e.what());
  }
}

void check_statement(const Statement& s) {
  if (s.body || !s.types.empty()) throw Error(s.loc, "a pattern states neither types nor bodies");
  if (s.results.empty())
    throw Error(s.loc, "name the results of " + s.op + ", so that they can be spoken of");
  for (const auto& o : s.operands) {
    if (o.kind != syntax::Operand::Kind::value) throw Error(o.loc, "operands of a pattern are %values");
  }
  for (const std::string& name : op_alternatives(s.op)) {
    const OpDef& def = known_op(name, s.loc);
    const bool variadic = !def.operands.empty() && def.operands.back().variadic;
    if (!variadic && s.operands.size() > def.operands.size()) {
      throw Error(s.loc, name + " takes " + std::to_string(def.operands.size()) +
                             " operands, the pattern gives " + std::to_string(s.operands.size()));
    }
    for (const auto& a : s.attrs) {
      const bool exists =
          std::any_of(def.attrs.begin(), def.attrs.end(), [&](const AttrDef& d) { return d.name == a.name; });
      if (!exists) throw Error(a.loc, name + " has no attribute '" + a.name + "'");
      if (!is_constant(a.value)) {
        throw Error(a.loc, "an attribute of a pattern is a constant, found " + syntax::expr_text(a.value));
      }
    }
  }
}

std::set<std::string> variables(const Statement& s) {
  std::set<std::string> out(s.results.begin(), s.results.end());
  for (const auto& o : s.operands) out.insert(o.name);
  return out;
}

// The matcher walks from statement to statement along shared values.
void check_connected(const std::vector<Statement>& pattern) {
  std::set<std::string> reached = variables(pattern[0]);
  std::vector<bool> done(pattern.size(), false);
  done[0] = true;
  for (bool grew = true; grew;) {
    grew = false;
    for (size_t i = 1; i < pattern.size(); ++i) {
      const std::set<std::string> here = variables(pattern[i]);
      const bool shares =
          std::any_of(here.begin(), here.end(), [&](const std::string& v) { return reached.contains(v); });
      if (done[i] || !shares) continue;
      reached.insert(here.begin(), here.end());
      done[i] = grew = true;
    }
  }
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (!done[i]) throw Error(pattern[i].loc, "this statement shares no value with those before it");
  }
}

}  // namespace

std::vector<std::string> op_alternatives(const std::string& text) {
  std::vector<std::string> out;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t bar = std::min(text.find('|', start), text.size());
    out.push_back(text.substr(start, bar - start));
    start = bar + 1;
  }
  return out;
}

void check_pattern(const std::vector<Statement>& pattern, const Location& at) {
  if (pattern.empty()) throw Error(at, "the pattern is empty");
  std::set<std::string> defined;
  for (const Statement& s : pattern) {
    check_statement(s);
    for (const std::string& r : s.results) {
      if (!defined.insert(r).second) throw Error(s.loc, "%" + r + " is defined twice");
    }
  }
  check_connected(pattern);
}

}  // namespace lmc
