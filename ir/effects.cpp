#include "ir/effects.h"

#include <algorithm>
#include <map>
#include <queue>

#include "ir/op_def.h"

namespace lmc {
namespace {

std::string call(const Graph& g, OpId id) { return g.op(id).def->name + " %" + g.value(g.result(id)).name; }

// Does `op` need, directly or not, a result of `of`?
bool needs(const Graph& g, OpId op, OpId of) {
  SideTable<OpId, char> seen(g.num_op_ids(), 0);
  std::vector<OpId> pending{of};
  while (!pending.empty()) {
    const OpId at = pending.back();
    pending.pop_back();
    if (at == op) return true;
    if (seen[at]) continue;
    seen[at] = 1;
    for (ValueId r : g.op(at).results) {
      for (const Use& u : g.value(r).uses) pending.push_back(u.op);
    }
  }
  return false;
}

bool updates(const Graph& g, const Use& u) {
  const std::vector<Update> all = updates_of(g.op(u.op));
  return std::any_of(all.begin(), all.end(), [&](const Update& x) { return x.operand == u.operand; });
}

// Updates of the ops of one graph, each asked for once: groups stand in each other, and asking again at each
// level would double what there is to ask.
using KnownUpdates = std::map<OpId, std::vector<Update>>;

ValueId memory_of(const Graph& g, ValueId v, KnownUpdates& known) {
  while (const Op* op = g.def_op(v)) {
    const auto [all, fresh] = known.try_emplace(g.value(v).def);
    if (fresh) all->second = updates_of(*op);
    const uint32_t index = g.value(v).result_index;
    const auto it = std::find_if(all->second.begin(), all->second.end(),
                                 [&](const Update& u) { return u.result == index; });
    if (it == all->second.end()) return v;
    v = op->operands[it->operand];
  }
  return v;
}

// What reads `v` as it was, against the op that changes it.
void order_readers(const Graph& g, ValueId v, OpId writer, std::vector<Before>& out) {
  const std::string name = "%" + g.value(v).name;
  if (g.is_output(v))
    throw Error(g.op(writer).loc, name + " is returned, but " + call(g, writer) + " changes it in place");
  for (const Use& u : g.value(v).uses) {
    if (u.op == writer) continue;
    const Op& reader = g.op(u.op);
    if (updates(g, u))
      throw Error(reader.loc,
                  name + " is changed in place twice: by " + call(g, writer) + " and by " + call(g, u.op));
    if (needs(g, u.op, writer))
      throw Error(reader.loc, call(g, u.op) + " reads " + name + " as it was before " + call(g, writer) +
                                  " changes it in place, but needs what comes of that");
    out.push_back({u.op, writer});
  }
}

}  // namespace

std::vector<Update> updates_of(const Op& op) {
  if (op.def->updates >= 0) return {{static_cast<size_t>(op.def->updates), 0}};
  std::vector<Update> out;
  if (!op.body) return out;
  const std::vector<ValueId> inputs = op.body->inputs();
  KnownUpdates known;
  for (size_t r = 0; r < op.body->outputs().size(); ++r) {
    const ValueId v = op.body->outputs()[r];
    const ValueId memory = memory_of(*op.body, v, known);
    if (memory == v) continue;
    const auto input = std::find(inputs.begin(), inputs.end(), memory);
    if (input != inputs.end()) out.push_back({static_cast<size_t>(input - inputs.begin()), r});
  }
  return out;
}

ValueId memory_of(const Graph& g, ValueId v) {
  KnownUpdates known;
  return memory_of(g, v, known);
}

std::optional<size_t> cache_read(const Graph& g, const Op& op) {
  if (op.def->category != OpCategory::attention) return std::nullopt;
  for (size_t i = 0; i < op.operands.size(); ++i) {
    if (is_kv(g.type(op.operands[i]).dtype)) return i;
  }
  return std::nullopt;
}

std::vector<Before> order_by_effects(const Graph& g) {
  std::vector<Before> out;
  for (OpId id : g.ops()) {
    for (const Update& u : updates_of(g.op(id))) order_readers(g, g.op(id).operands[u.operand], id, out);
  }
  return out;
}

std::vector<OpId> run_order(const Graph& g) {
  std::vector<uint32_t> waiting(g.num_op_ids(), 0);
  std::vector<std::vector<OpId>> readers_first(g.num_op_ids());
  for (const Before& b : order_by_effects(g)) {
    readers_first[b.first.v].push_back(b.then);
    ++waiting[b.then.v];
  }
  const std::vector<OpId> live = g.ops();
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> ready;
  for (OpId id : live) {
    for (ValueId v : g.op(id).operands) waiting[id.v] += g.value(v).kind == ValueKind::result;
    if (waiting[id.v] == 0) ready.push(id.v);
  }
  std::vector<OpId> order;
  const auto done = [&](OpId id) {
    if (--waiting[id.v] == 0) ready.push(id.v);
  };
  while (!ready.empty()) {
    const OpId id{ready.top()};
    ready.pop();
    order.push_back(id);
    for (ValueId r : g.op(id).results) {
      for (const Use& u : g.value(r).uses) done(u.op);
    }
    for (OpId then : readers_first[id.v]) done(then);
  }
  if (order.size() != live.size())
    throw Error("graph @" + g.name + ": what is changed in place and who reads it before go in a circle");
  return order;
}

}  // namespace lmc
