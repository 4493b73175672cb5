#include "codegen/frame.h"

#include <algorithm>

#include "codegen/view_root.h"
#include "ir/effects.h"
#include "ir/op_def.h"
#include "ir/round_up.h"

namespace lmc {
namespace {

std::vector<OpId> ops_that_run(const Graph& g) {
  std::vector<OpId> out = run_order(g);
  std::erase_if(out, [&](OpId id) { return g.op(id).def->category == OpCategory::view; });
  return out;
}

std::vector<ValueId> stored(const Graph& g, const std::vector<OpId>& ops) {
  std::vector<ValueId> out;
  for (OpId id : ops) {
    for (ValueId v : g.op(id).results) {
      if (g.is_output(v) && !is_kv(g.type(v).dtype)) out.push_back(v);
    }
  }
  return out;
}

}  // namespace

Frame::Frame(const KernelSpec& kernel)
    : spec(kernel),
      g(kernel.body),
      ops(ops_that_run(g)),
      stores(stored(g, ops)),
      over_rows(!ops.empty() && runs_over_rows(g, ops.back())) {
  const std::vector<ValueId> inputs = g.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) slots_[inputs[i]] = operand_slot(spec.inputs[i]);
  for (size_t i = 0; i < g.outputs().size(); ++i) slots_[g.outputs()[i]] = operand_slot(spec.outputs[i]);
  for (OpId id : ops) {  // caches that are changed in place and not returned
    for (const Update& u : updates_of(g.op(id))) {
      const auto from = slots_.find(memory_of(g, g.op(id).operands[u.operand]));
      if (from != slots_.end()) slots_.emplace(g.op(id).results[u.result], from->second);
    }
  }
}

Slot Frame::operand_slot(int operand) const {
  const KernelOperand& o = spec.operands[static_cast<size_t>(operand)];
  return {operand, 0, o.stride, o.layout, 0};
}

bool Frame::has(ValueId v) const { return slots_.contains(view_root(g, v).value); }

Slot Frame::slot(ValueId v) const {
  const ViewRoot root = view_root(g, v);
  Slot out = slots_.at(root.value);
  out.offset += root.element * 4;
  out.sub_row = root.sub_row;
  return out;
}

const PlanCache& Frame::cache(ValueId v) const {
  return spec.operands[static_cast<size_t>(slot(v).operand)].cache;
}

void Frame::place_in_scratch(ValueId v, int64_t offset) {
  Slot s;
  s.offset = offset;
  s.layout = dtype_name(g.type(v).dtype);
  slots_[v] = s;
}

Slot Frame::output_slot(ValueId v) const {
  const auto it = std::find(g.outputs().begin(), g.outputs().end(), v);
  return operand_slot(spec.outputs[static_cast<size_t>(it - g.outputs().begin())]);
}

bool Frame::needs_memory(ValueId v) const {
  const Op& op = *g.def_op(v);
  const auto& uses = g.value(v).uses;
  if (op.def->category != OpCategory::elementwise || uses.size() != 1) return true;
  const Op& user = g.op(uses[0].op);
  return user.def->category != OpCategory::elementwise && user.def->name != "quantize";
}

int64_t row_bytes(const Type& type) {
  int64_t elements = 1;
  for (size_t i = 1; i < type.dims.size(); ++i) elements *= type.dims[i];
  if (is_quantised(type.dtype))
    return elements / std::max<int64_t>(type.last(), 1) * quantised_bytes(type.last());
  return round_up(elements * 4, 64);
}

int64_t quantised_bytes(int64_t length) {
  const int64_t padded = round_up(length, kQ8Block);
  return round_up(padded + padded / kQ8Block * 8, 64);
}

bool runs_over_rows(const Graph& g, OpId id) {
  const Type& t = g.type(g.result(id));
  return !t.dims.empty() && t.dims[0] == kDimR;
}

}  // namespace lmc
