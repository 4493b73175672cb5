#include "passes/sharding/rank_graph.h"

#include <algorithm>
#include <vector>

#include "ir/error.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

ValueId input_of(const Graph& g, int64_t rows) {
  for (ValueId v : g.inputs()) {
    const Type& t = g.type(v);
    if (t.dtype == DType::i32 && t.rank() == 1 && t.dims[0] == rows) return v;
  }
  throw Error("graph @" + g.name + " has no input with " + dim_name(rows) +
              " numbers, by which a rank could tell how many rows it gets");
}

// For a rank that has no part of a collective, something with as many rows: what the collective before it has
// made, so that this rank, too, takes them in one order.
ValueId rows_like(Graph& g, OpId collective, ValueId before) {
  const int64_t rows = g.type(g.result(collective)).dims[0];
  if (!before.valid()) return input_of(g, rows);
  if (g.type(before).dims[0] == rows) return before;
  if (rows != kDimR) return input_of(g, rows);
  const std::string scope = g.op(collective).scope;
  const Location loc = g.op(collective).loc;
  return g.result(g.add_op("select_rows", {before, input_of(g, rows)}, {}, {}, scope, loc));
}

// A collective reads the part of its own rank only. Returns what it makes. `before`: what the last one does.
ValueId take_own_part(Graph& g, OpId id, int64_t rank, ValueId before) {
  const OpDef& def = *g.op(id).def;
  AttrMap attrs = g.op(id).attrs;
  attrs["rank"] = rank;
  const std::vector<int64_t> sizes = attr_ints(g.op(id), "sizes");
  const auto own = sizes.begin() + rank;
  const auto part = static_cast<size_t>(std::count_if(sizes.begin(), own, [](int64_t n) { return n > 0; }));
  const ValueId operand = *own > 0 ? g.op(id).operands[part] : rows_like(g, id, before);
  const ValueId whole = g.result(id);
  const std::string name = g.value(whole).name, scope = g.op(id).scope;
  const ValueId made = g.result(g.add_op(def, {operand}, attrs, {}, scope, g.op(id).loc));
  g.replace_all_uses(whole, made);
  g.erase_op(id);
  g.rename(made, name);
  return made;
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
  ValueId before;
  for (OpId id : topo_order(g)) {
    if (g.op(id).def->name == "all_gather") before = take_own_part(g, id, rank, before);
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
