#include "passes/pattern/pattern_check.h"

#include <algorithm>
#include <set>

#include "passes/pattern/statements.h"

namespace lmc {
namespace {

using syntax::Statement;

constexpr size_t kMostStatements = 64;  // the search goes as deep as there are

void check_chain(const Statement& s) {
  const std::string shown = s.op + s.repeat;
  if (s.optional) throw Error(s.loc, "a chain that may be empty is written '*', not optional");
  if (s.results.size() != 1 || s.operands.size() != 1 || s.operands[0].optional)
    throw Error(s.loc, shown + " leads from one value to one value: %y = " + shown + "(%x)");
  if (!s.attrs.empty()) throw Error(s.attrs[0].loc, "the ops of a chain may have any attributes");
}

void check_optional(const Statement& s) {
  if (s.results.size() != 1 || s.operands.empty() || s.operands[0].optional) {
    throw Error(
        s.loc,
        "an optional statement has one result and a first operand, which the result is when the op is "
        "not there");
  }
}

void check_statement(const Statement& s) {
  if (s.has_body || !s.types.empty()) throw Error(s.loc, "a pattern states neither types nor bodies");
  if (s.op.empty()) throw Error(s.loc, "$" + s.capture + " captures an op: $" + s.capture + ":silu|relu(…)");
  for (const OpDef* def : ops_named(s.op, s.loc)) {
    if (!s.repeat) check_call_of(*def, s);
  }
  for (const auto& o : s.operands) {
    if (o.kind != syntax::Operand::Kind::value) throw Error(o.loc, "operands are %values here");
  }
  if (s.repeat) check_chain(s);
  if (s.optional) check_optional(s);
}

// What the matcher can walk along: a statement that may be absent still joins its result and first operand.
std::set<std::string> variables(const Statement& s) {
  std::set<std::string> out(s.results.begin(), s.results.end());
  for (const auto& o : s.operands) {
    if (!o.optional) out.insert(o.name);
    if (s.optional) break;
  }
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

void check_anchor(const std::vector<Statement>& pattern, const Location& at) {
  const auto first =
      std::find_if(pattern.begin(), pattern.end(), [](const Statement& s) { return !s.optional; });
  if (first == pattern.end()) throw Error(at, "every statement is optional, so nothing says where to begin");
  if (first->repeat) throw Error(first->loc, "the search begins here, so this must be one op, not a chain");
}

void check_names(const std::vector<Statement>& pattern) {
  std::set<std::string> defined, captured;
  for (const Statement& s : pattern) {
    for (const std::string& r : s.results) {
      if (!defined.insert(r).second) throw Error(s.loc, "%" + r + " is defined twice");
    }
    if (!s.capture.empty() && !captured.insert(s.capture).second)
      throw Error(s.loc, "$" + s.capture + " captures two ops");
  }
  for (const Statement& s : pattern) {
    for (const auto& o : s.operands) {
      if (o.optional && defined.contains(o.name))
        throw Error(o.loc, "%" + o.name + " is made by a statement, so it cannot be left out");
    }
  }
}

}  // namespace

void check_pattern(const std::vector<Statement>& pattern, const Location& at) {
  if (pattern.empty()) throw Error(at, "the pattern is empty");
  if (pattern.size() > kMostStatements) {
    throw Error(pattern[kMostStatements].loc,
                "a pattern has at most " + std::to_string(kMostStatements) + " statements");
  }
  for (const Statement& s : pattern) check_statement(s);
  check_names(pattern);
  check_connected(pattern);
  check_anchor(pattern, at);
}

}  // namespace lmc
