#include "passes/sharding/rank_graph.h"

#include <vector>

#include "ir/op_def.h"

namespace lmc {
namespace {

// A collective reads the part of its own rank only.
void take_own_part(Graph& g, OpId id, int64_t rank) {
  const Op& op = g.op(id);
  AttrMap attrs = op.attrs;
  attrs["rank"] = rank;
  const ValueId before = op.results[0];
  const std::string name = g.value(before).name;
  const OpId own = g.add_op(*op.def, {op.operands[static_cast<size_t>(rank)]}, attrs, {}, op.scope, op.loc);
  g.replace_all_uses(before, g.result(own));
  g.erase_op(id);
  g.rename(g.result(own), name);
}

// What is computed for these values.
SideTable<OpId, char> needed_for(const Graph& g, std::vector<ValueId> pending) {
  SideTable<OpId, char> out(g.num_op_ids(), 0);
  while (!pending.empty()) {
    const Value& v = g.value(pending.back());
    pending.pop_back();
    if (v.kind != ValueKind::result || out[v.def]) continue;
    out[v.def] = 1;
    for (ValueId o : g.op(v.def).operands) pending.push_back(o);
  }
  return out;
}

// An input cache of which only some heads are read has no others.
void narrow_caches(Graph& g) {
  for (ValueId v : g.inputs()) {
    if (!is_kv(g.type(v).dtype) || g.value(v).uses.size() != 1) continue;
    const OpId user = g.value(v).uses[0].op;
    if (g.op(user).def->name != "slice") continue;
    const ValueId part = g.result(user);
    const Type type = g.type(part);
    g.replace_all_uses(part, v);
    g.erase_op(user);
    g.set_type(v, type);
  }
}

}  // namespace

Graph rank_graph(const Graph& all, int64_t rank) {
  Graph g = all.clone();
  for (OpId id : topo_order(g)) {
    if (g.op(id).def->name == "all_gather") take_own_part(g, id, rank);
  }
  std::vector<ValueId> results;
  for (ValueId v : g.outputs()) {
    if (!is_kv(g.type(v).dtype)) results.push_back(v);
  }
  const SideTable<OpId, char> own = needed_for(g, results);
  std::vector<ValueId> outputs;
  for (ValueId v : g.outputs()) {
    if (!is_kv(g.type(v).dtype) || (g.def_op(v) && own[g.value(v).def])) outputs.push_back(v);
  }
  g.set_outputs(outputs);
  g.remove_dead();
  narrow_caches(g);
  for (ValueId w : g.weights()) g.remove_weight_if_unused(w);
  return g.clone();
}

}  // namespace lmc
