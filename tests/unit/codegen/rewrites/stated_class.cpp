#include <algorithm>
#include <set>

#include "codegen/family.h"
#include "ir/op_def.h"
#include "rewrites.h"

namespace lmc {
namespace {

// An op that kernels are built around, in a group or in a group within it.
struct Core {
  const Graph* graph;
  OpId op;
  OpId at;  // the op of the outer group that it is or is in
};

void add_cores(const Graph& g, OpId id, OpId at, std::vector<Core>& out) {
  if (!g.op(id).body) {
    if (family_around(g.op(id))) out.push_back({&g, id, at});
    return;
  }
  const Graph& body = *g.op(id).body;
  for (OpId inner : topo_order(body)) add_cores(body, inner, at, out);
}

bool leads_to(const Graph& g, OpId from, OpId to) {
  std::vector<OpId> pending = {from};
  while (!pending.empty()) {
    const OpId at = pending.back();
    pending.pop_back();
    for (ValueId r : g.op(at).results) {
      for (const Use& u : g.value(r).uses) {
        if (u.op == to) return true;
        pending.push_back(u.op);
      }
    }
  }
  return false;
}

bool is_one_kernel(const Graph& body) {
  std::vector<Core> cores;
  for (OpId id : topo_order(body)) add_cores(body, id, id, cores);
  if (cores.size() <= 1) return true;
  return cores.size() == 2 && cores[0].graph->op(cores[0].op).def->name == "attention" &&
         cores[1].graph->op(cores[1].op).def->category == OpCategory::contraction &&
         leads_to(body, cores[0].at, cores[1].at);
}

// `outside`: of the inputs of a body, those that are such parts.
bool is_part_of_heads(const Graph& g, ValueId v, const std::set<ValueId>& outside) {
  const Op* op = g.def_op(v);
  for (; op && op->def->category == OpCategory::view; v = op->operands[0], op = g.def_op(v)) {
    if (op->def->name == "split" && g.type(op->operands[0]).rank() > 2) return true;
  }
  return outside.contains(v);
}

bool can_be_compiled(const Graph& g, const std::set<ValueId>& outside) {
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (op.def->name == "reshape" && is_part_of_heads(g, op.operands[0], outside)) return false;
    if (!op.body) continue;
    std::set<ValueId> inside;
    for (size_t i = 0; i < op.operands.size(); ++i) {
      if (is_part_of_heads(g, op.operands[i], outside)) inside.insert(op.body->inputs()[i]);
    }
    if (!is_one_kernel(*op.body) || !can_be_compiled(*op.body, inside)) return false;
  }
  return true;
}

}  // namespace

bool can_be_compiled(const Graph& g) {
  const auto is_view = [&](ValueId v) {
    return g.def_op(v) && g.def_op(v)->def->category == OpCategory::view;
  };
  return std::none_of(g.outputs().begin(), g.outputs().end(), is_view) && can_be_compiled(g, {});
}

}  // namespace lmc
