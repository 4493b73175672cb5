#include "passes/pattern/reading.h"

#include <algorithm>

#include "ir/op_def.h"

namespace lmc {
namespace {

std::vector<OpId> sorted(std::vector<OpId> ops) {
  std::sort(ops.begin(), ops.end());
  return ops;
}

std::string value_text(const Match& m, const std::string& variable) {
  const auto it = m.values.find(variable);
  if (it == m.values.end()) return "not there";
  const Value& v = m.graph->value(it->second);
  return (v.kind == ValueKind::weight ? "@" : "%") + v.name;
}

std::string ops_text(const Match& m, const std::vector<OpId>& ops) {
  std::string out;
  for (OpId id : ops) {
    const Op& op = m.graph->op(id);
    out += (out.empty() ? "" : ", ") + op.def->name + " %" + m.graph->value(op.results[0]).name;
  }
  return out.empty() ? "not there" : out;
}

// The parts of `m` that are not those of `other`.
std::string reading_text(const Pattern& pattern, const Match& m, const Match& other) {
  std::string out;
  const auto add = [&](const std::string& what) { out += (out.empty() ? "" : "; ") + what; };
  for (const std::string& v : pattern.names().values) {
    if (!is_hidden(v) && value_text(m, v) != value_text(other, v)) add("%" + v + " is " + value_text(m, v));
  }
  for (size_t s = 0; s < m.by_statement.size(); ++s) {
    if (m.by_statement[s] == other.by_statement[s]) continue;
    add(pattern.statements()[s].text.op + " is " + ops_text(m, m.by_statement[s]));
  }
  return out;
}

std::string place(const Match& m) {
  const Op& anchor = m.graph->op(m.ops[0]);
  return "at " + anchor.def->name + " %" + m.graph->value(anchor.results[0]).name +
         (anchor.scope.empty() ? "" : " (" + anchor.scope + ")");
}

}  // namespace

bool same_ops(const Match& a, const Match& b) { return sorted(a.ops) == sorted(b.ops); }

Error ambiguity(const Pattern& pattern, const Match& a, const Match& b) {
  return {pattern.location(),
          place(a) + " the pattern can be read in two ways, with different results:\n  first:  " +
              reading_text(pattern, a, b) + "\n  second: " + reading_text(pattern, b, a) +
              "\nadd a statement, an attribute or a condition that only one of them fulfils"};
}

std::string overlap(const Pattern& pattern, const Match& taken, const Match& left) {
  return place(taken) +
         " it fits in two ways; took the first in order: " + reading_text(pattern, taken, left) +
         "; left: " + reading_text(pattern, left, taken);
}

}  // namespace lmc
