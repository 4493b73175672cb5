#include "ir/op_def.h"

#include <algorithm>
#include <map>

#include "ir/block_format.h"
#include "ir/names.h"

namespace lmc {
namespace {

std::map<std::string, OpDef, std::less<>>& table() {
  static std::map<std::string, OpDef, std::less<>> ops;
  return ops;
}

}  // namespace

RegisterOp::RegisterOp(OpDef def) {
  std::string name = def.name;
  if (find_op(name)) throw Error("there is already an op '" + name + "'");
  table().emplace(std::move(name), std::move(def));
}

const OpDef* find_op(std::string_view name) {
  const auto it = table().find(name);
  return it == table().end() ? nullptr : &it->second;
}

const OpDef& get_op(std::string_view name) {
  if (const OpDef* def = find_op(name)) return *def;
  std::vector<std::string> known;
  for (const auto& [k, def] : table()) known.push_back(k);
  throw Error("unknown op '" + std::string(name) + "'" + did_you_mean(name, known, "; see lmc ops"));
}

const OpDef& get_op(std::string_view name, const Location& at) {
  try {
    return get_op(name);
  } catch (const Error& e) {
    throw Error(at, e.what());
  }
}

std::vector<const OpDef*> all_ops() {
  std::vector<const OpDef*> out;
  for (const auto& [name, def] : table()) out.push_back(&def);
  return out;
}

Cost op_cost(const Graph& g, OpId id) { return op_cost(g, id, weight_only(g)); }

Cost op_cost(const Graph& g, OpId id, const SideTable<ValueId, char>& constant) {
  const Op& op = g.op(id);
  Cost cost;
  std::vector<Type> types;
  for (ValueId v : op.operands) {
    const Type& t = g.type(v);
    types.push_back(t);
    const double bytes = static_cast<double>(storage_bytes(t.dtype, t.elements(), t.last()));
    if (!constant[v]) {
      if (!is_kv(t.dtype)) cost.activation_bytes += bytes;
    } else {
      cost.weight_bytes += bytes;
    }
  }
  if (cost.weight_bytes > 0 && op.def->weight_bytes)
    cost.weight_bytes = op.def->weight_bytes({types, op.attrs, nullptr});
  double outputs = 0;
  for (ValueId v : op.results) {
    const Type& t = g.type(v);
    if (is_kv(t.dtype)) continue;
    outputs += static_cast<double>(t.elements());
    cost.activation_bytes += static_cast<double>(storage_bytes(t.dtype, t.elements(), t.last()));
  }
  cost.exps = op.def->exps * outputs;
  if (op.body) {
    const SideTable<ValueId, char> inside = weight_only(*op.body);
    for (OpId inner : op.body->ops()) {
      const Cost part = op_cost(*op.body, inner, inside);
      cost.flops += part.flops;
      cost.exps += part.exps;
    }
  } else if (op.def->flops) {
    cost.flops = op.def->flops({types, op.attrs, nullptr});
  } else if (op.def->category == OpCategory::elementwise || op.def->category == OpCategory::row) {
    cost.flops = outputs;
  }
  return cost;
}

void require(bool ok, const std::string& message) {
  if (!ok) throw Error(message);
}

Type with_dtype(Type t, DType d) {
  t.dtype = d;
  return t;
}

}  // namespace lmc
