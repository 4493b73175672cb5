#include "passes/pattern/statements.h"

#include <algorithm>

#include "ir/names.h"

namespace lmc {
namespace {

using syntax::Operand;
using syntax::Statement;

// Calls first, so that a statement stands behind what it reads.
void flatten(Statement s, char side, std::vector<Statement>& out) {
  for (Operand& o : s.operands) {
    if (o.kind != Operand::Kind::call) continue;
    Statement inner = *o.call;
    inner.results = {":" + std::string(1, side) + std::to_string(o.loc.line) + ":" +
                     std::to_string(o.loc.column)};
    o.kind = Operand::Kind::value;
    o.name = inner.results[0];
    o.call = nullptr;
    inner.loc = o.loc;
    flatten(std::move(inner), side, out);
  }
  out.push_back(std::move(s));
}

struct OpClass {
  const char* name;
  bool (*holds)(const OpDef& def);
};
constexpr OpClass kClasses[] = {
    {"activation", [](const OpDef& d) { return d.activation; }},
    {"elementwise", [](const OpDef& d) { return d.category == OpCategory::elementwise; }},
    {"row", [](const OpDef& d) { return d.category == OpCategory::row; }},
    {"contraction", [](const OpDef& d) { return d.category == OpCategory::contraction; }},
    {"view", [](const OpDef& d) { return d.category == OpCategory::view; }},
    {"weight", [](const OpDef& d) { return d.category == OpCategory::weight; }}};

void add_named(const std::string& name, const Location& at, std::vector<const OpDef*>& out) {
  if (const OpDef* def = find_op(name)) {
    out.push_back(def);
    return;
  }
  std::vector<std::string> known;
  for (const OpClass& c : kClasses) known.push_back(c.name);
  for (const OpDef* def : all_ops()) known.push_back(def->name);
  const auto found = std::find(known.begin(), known.begin() + std::size(kClasses), name);
  if (found == known.begin() + std::size(kClasses))
    throw Error(at, "unknown op '" + name + "'" + did_you_mean(name, known, "; see lmc ops"));
  const OpClass& c = kClasses[found - known.begin()];
  for (const OpDef* def : all_ops()) {
    if (c.holds(*def)) out.push_back(def);
  }
}

}  // namespace

std::vector<Statement> read_statements(std::string_view text, const Location& at, char side) {
  std::vector<Statement> out;
  for (Statement& s : syntax::parse_pattern(text, at)) flatten(std::move(s), side, out);
  return out;
}

bool is_hidden(const std::string& variable) { return variable.starts_with(':'); }

std::vector<const OpDef*> ops_named(const std::string& alternatives, const Location& at) {
  std::vector<const OpDef*> out;
  for (size_t start = 0; start <= alternatives.size();) {
    const size_t bar = std::min(alternatives.find('|', start), alternatives.size());
    add_named(alternatives.substr(start, bar - start), at, out);
    start = bar + 1;
  }
  return out;
}

void check_call_of(const OpDef& def, const Statement& s) {
  const bool variadic = !def.operands.empty() && def.operands.back().variadic;
  if (!variadic && s.operands.size() > def.operands.size()) {
    throw Error(s.loc, def.name + " takes " + std::to_string(def.operands.size()) +
                           " operands, the text gives " + std::to_string(s.operands.size()));
  }
  for (size_t i = 0; i < s.operands.size(); ++i) {
    const Operand& o = s.operands[i];
    if (o.kind != Operand::Kind::value) throw Error(o.loc, "operands are %values here");
    if (!o.optional) continue;
    if (i + 1 < s.operands.size() && !s.operands[i + 1].optional)
      throw Error(o.loc, "only the last operands can be left out");
    const bool may_lack = i >= def.operands.size() ? variadic : def.operands[i].optional;
    if (!may_lack) throw Error(o.loc, def.name + " always has its operand %" + o.name + "; drop the '?'");
  }
  for (const auto& a : s.attrs) {
    std::vector<std::string> known;
    for (const AttrDef& d : def.attrs) known.push_back(d.name);
    if (std::find(known.begin(), known.end(), a.name) == known.end()) {
      throw Error(a.loc, def.name + " has no attribute '" + a.name + "'" + did_you_mean(a.name, known));
    }
  }
}

}  // namespace lmc
