#include "codegen/stage_report.h"

#include <algorithm>

#include "ir/op_def.h"

namespace lmc {
namespace {

// Of a stack of matrices, how many are read: at most as many as the tokens have chosen.
double share_read(const Stage& s, int64_t max_tokens) {
  const Graph& g = *s.graph;
  const Op& op = g.op(s.core);
  if (!by_experts(g, op)) return 1;
  const int64_t choices = g.type(op.operands[2]).last() * max_tokens;
  return std::min(1.0, static_cast<double>(choices) / static_cast<double>(g.type(op.operands[1]).dims[0]));
}

// Null for what lives in the scratch or in registers.
const PlanOperand* operand_of(const Stage& s, ValueId v) {
  const auto slot = s.slots.find(v);
  if (slot == s.slots.end() || slot->second.operand == Slot::kScratch) return nullptr;
  return &s.plan.operands[static_cast<size_t>(slot->second.operand)];
}

// The op whose scope a row stage reports under: what the model does first, or the embedding.
OpId named_after(const Stage& s) {
  const Graph& g = *s.graph;
  const auto it =
      std::find_if(s.ops.begin(), s.ops.end(), [&](OpId id) { return g.op(id).def->name == "embedding"; });
  return it == s.ops.end() ? s.ops.front() : *it;
}

// "q8_0.rows8" → "q8_0"
std::string stored_as(const std::string& layout) { return layout.substr(0, layout.find('.')); }

std::string shape_text(const Graph& g, ValueId v) {
  std::string out = "[";
  const auto& dims = g.type(v).dims;
  for (size_t i = 0; i < dims.size(); ++i) out += (i ? "," : "") + dim_name(dims[i]);
  return out + "]";
}

}  // namespace

void describe(Stage& s, const SideTable<ValueId, char>& only, int64_t max_tokens) {
  const Graph& g = *s.graph;
  PlanStage& p = s.plan;
  p.scope = g.op(s.core.valid() ? s.core : named_after(s)).scope;
  for (OpId id : s.all_ops()) p.flops += op_cost(g, id, only).flops;
  if (s.kind == StageKind::linear) {
    const Op& op = g.op(s.core);
    for (ValueId v : op.operands) {
      const PlanOperand* o = operand_of(s, v);
      if (o && o->space == Space::weight)
        p.weight_bytes += static_cast<double>(o->bytes) * share_read(s, max_tokens);
    }
    const std::string& role = attr_string(op, "role");
    p.kind = "linear";
    p.label = op.def->name + " " + role + (role.empty() ? "" : " ") + shape_text(g, op.operands[0]) + "x" +
              shape_text(g, op.operands[1]) + " " + stored_as(s.slots.at(op.operands[1]).layout);
  } else if (s.kind == StageKind::attention) {
    p.kind = "attention";
    p.label = g.op(s.core).def->name + " " + shape_text(g, g.op(s.core).operands[0]);
  } else {
    p.kind = "row";
    p.label = "row";
  }
  const size_t first = s.core.valid() ? 1 : 0;
  for (size_t i = first; i < s.ops.size(); ++i)
    p.label += (i == 0 || !s.core.valid() ? " " : " +") + g.op(s.ops[i]).def->name;
  if (!s.prologue.empty()) p.label += " behind";
  for (OpId id : s.prologue) p.label += " " + g.op(id).def->name;
}

}  // namespace lmc
