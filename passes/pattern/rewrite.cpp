#include "passes/pattern/rewrite.h"

#include <algorithm>
#include <set>

#include "ir/op_def.h"
#include "passes/pattern/op_set.h"
#include "passes/pattern/replacement.h"

namespace lmc {
namespace {

using syntax::Statement;

// Equal numbers, equal computations: ops are told apart by name, attributes and what they read.
class Numbering {
 public:
  // Of every value of `g`; graphs numbered one after the other share the numbers.
  SideTable<ValueId, int> of(const Graph& g) {
    SideTable<ValueId, int> out(g.num_value_ids(), 0);
    for (ValueId v : g.inputs()) out[v] = number("%" + g.value(v).name);
    for (OpId id : topo_order(g)) {
      const Op& op = g.op(id);
      std::vector<int> reads;
      for (ValueId o : op.operands) reads.push_back(out[o]);
      if (op.def->commutative && reads.size() >= 2) std::sort(reads.begin(), reads.begin() + 2);
      std::string key = op.def->name;
      for (int r : reads) key += " " + std::to_string(r);
      for (const auto& [name, a] : op.attrs) key += " " + name + "=" + attr_text(a);
      for (size_t i = 0; i < op.results.size(); ++i)
        out[op.results[i]] = number(key + " #" + std::to_string(i));
    }
    return out;
  }

 private:
  int number(const std::string& key) {
    return numbers_.emplace(key, static_cast<int>(numbers_.size())).first->second;
  }
  std::map<std::string, int> numbers_;
};

}  // namespace

Rewrite::Rewrite(const std::string& text, const Location& at) : statements_(read_statements(text, at, 'r')) {
  if (statements_.empty()) throw Error(at, "the replacement is empty");
}

std::vector<ValueId> Rewrite::vanishing(const Match& m) const {
  std::set<ValueId> replaced;
  for (const Statement& s : statements_) {
    for (const std::string& r : s.results) {
      if (const auto it = m.values.find(r); it != m.values.end()) replaced.insert(it->second);
    }
  }
  std::vector<ValueId> out;
  for (OpId id : m.ops) {
    for (ValueId r : m.graph->op(id).results) {
      if (!replaced.contains(r)) out.push_back(r);
    }
  }
  return out;
}

void Rewrite::apply(Graph& g, const Pattern& pattern, const Match& m) const {
  Replacement replacement(g, pattern, m, [](ValueId v) { return v; });
  for (const Statement& s : statements_) replacement.add(s);
  std::vector<std::string> names;
  for (const auto& r : replacement.replaced()) {
    names.push_back(g.value(r.old).name);
    g.replace_all_uses(r.old, r.made);
  }
  erase_ops(g, m.ops);
  for (size_t i = 0; i < names.size(); ++i) g.rename(replacement.replaced()[i].made, names[i]);
}

bool Rewrite::same_result(const Pattern& pattern, const Match& a, const Match& b) const {
  if (a.values == b.values && a.captures == b.captures && a.captured_ops == b.captured_ops) return true;
  Numbering numbering;
  const auto outcome = [&](const Match& m) {
    Graph scratch;
    const auto import = [&](ValueId v) {
      const std::string name = std::to_string(v.v);
      const ValueId known = scratch.find_input(name);
      return known.valid() ? known : scratch.add_input(name, m.graph->type(v));
    };
    Replacement replacement(scratch, pattern, m, import);
    for (const Statement& s : statements_) replacement.add(s);
    const SideTable<ValueId, int> numbers = numbering.of(scratch);
    std::map<ValueId, int> out;
    for (const auto& r : replacement.replaced()) out[r.old] = numbers[r.made];
    return out;
  };
  return outcome(a) == outcome(b);
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
