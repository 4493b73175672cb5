#include "passes/pattern/op_set.h"

#include <algorithm>
#include <set>

namespace lmc {
namespace {

bool holds(const std::vector<OpId>& ops, OpId id) {
  return std::find(ops.begin(), ops.end(), id) != ops.end();
}

bool read_outside(const Graph& g, const std::vector<OpId>& ops, OpId id) {
  for (ValueId r : g.op(id).results) {
    for (const Use& u : g.value(r).uses) {
      if (!holds(ops, u.op)) return true;
    }
  }
  return false;
}

// What `id` reads from outside `ops`, itself or through others of them.
std::set<ValueId> entries_above(const Graph& g, const std::vector<OpId>& ops, OpId id) {
  std::set<ValueId> out;
  std::set<OpId> seen{id};
  std::vector<OpId> pending{id};
  while (!pending.empty()) {
    const OpId at = pending.back();
    pending.pop_back();
    for (ValueId v : g.op(at).operands) {
      if (g.value(v).kind != ValueKind::result) continue;
      const OpId def = g.value(v).def;
      if (!holds(ops, def)) {
        out.insert(v);
      } else if (seen.insert(def).second) {
        pending.push_back(def);
      }
    }
  }
  return out;
}

bool depends_on(const Graph& g, const std::set<ValueId>& values, const std::vector<OpId>& ops) {
  std::set<OpId> seen;
  std::vector<ValueId> pending(values.begin(), values.end());
  while (!pending.empty()) {
    const ValueId v = pending.back();
    pending.pop_back();
    if (g.value(v).kind != ValueKind::result || !seen.insert(g.value(v).def).second) continue;
    if (holds(ops, g.value(v).def)) return true;
    const auto& operands = g.op(g.value(v).def).operands;
    pending.insert(pending.end(), operands.begin(), operands.end());
  }
  return false;
}

}  // namespace

std::vector<OpId> in_order(const Graph& g, const std::vector<OpId>& ops) {
  std::vector<OpId> waiting = ops;
  std::sort(waiting.begin(), waiting.end());
  std::vector<OpId> out;
  while (!waiting.empty()) {
    const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](OpId id) {
      return std::none_of(g.op(id).operands.begin(), g.op(id).operands.end(), [&](ValueId v) {
        return g.value(v).kind == ValueKind::result && holds(waiting, g.value(v).def);
      });
    });
    out.push_back(*ready);
    waiting.erase(ready);
  }
  return out;
}

void erase_ops(Graph& g, const std::vector<OpId>& ops) {
  const std::vector<OpId> order = in_order(g, ops);
  for (auto it = order.rbegin(); it != order.rend(); ++it) g.erase_op(*it);
}

// A path that comes back enters through some value v made outside. If everything that leaves the set depends
// on v anyway, v cannot depend on it in turn. Only the other entries need a walk, and in a model those are
// weights, whose ancestry is short.
bool is_convex_locally(const Graph& g, const std::vector<OpId>& ops) {
  std::set<ValueId> entries;
  for (OpId id : ops) entries.merge(entries_above(g, ops, id));
  std::set<ValueId> doubtful;
  for (OpId id : ops) {
    if (!read_outside(g, ops, id)) continue;
    const std::set<ValueId> above = entries_above(g, ops, id);
    std::set_difference(entries.begin(), entries.end(), above.begin(), above.end(),
                        std::inserter(doubtful, doubtful.end()));
  }
  return !depends_on(g, doubtful, ops);
}

}  // namespace lmc
