#include "codegen/kernels/linear_form.h"

#include <algorithm>

#include "codegen/family.h"
#include "codegen/kernels/row_kernel.h"
#include "codegen/view_root.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

bool holds(const std::vector<OpId>& list, OpId id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

}  // namespace

LinearForm::LinearForm(const KernelSpec& spec, OpId contraction)
    : frame(spec), core(contraction), experts(false), layout(nullptr), outputs(0), cols(0), slots(1) {
  const Graph& g = frame.g;
  const Op& linear = op();
  const Type& w = g.type(linear.operands[1]);
  experts = w.rank() == 3;
  if (!experts && g.type(linear.operands[0]).rank() != 2) {
    throw Error(linear.loc, linear.def->name + " %" + g.value(linear.results[0]).name + " reads " +
                                g.type(linear.operands[0]).str() +
                                "; its kernel takes one row of numbers for each token: reshape it before");
  }
  if (!frame.has(linear.operands[1]) || !frame.is_input(linear.operands[1]))
    throw Error(linear.loc, linear.def->name + ": its weight is computed in the step");
  outputs = w.dims[experts ? 1 : 0];
  cols = w.last();
  if (experts) slots = g.type(linear.operands[2]).last();
  layout = find_weight_layout(frame.slot(linear.operands[1]).layout);
  if (!layout)
    throw Error(linear.loc, linear.def->name + ": no kernel reads weights laid out as " +
                                frame.slot(linear.operands[1]).layout);
  const std::vector<OpId> behind = Cluster{g, frame.ops, frame.single()}.behind(core);
  std::vector<OpId> ahead;
  for (OpId id : frame.ops) {
    if (id != core && !holds(behind, id)) ahead.push_back(id);
  }
  take_prologue(ahead);
  take_epilogue(behind);
}

void LinearForm::take_prologue(const std::vector<OpId>& ahead) {
  const Graph& g = frame.g;
  prologue = ahead;
  if (prologue.empty()) return;
  kept_bytes = kKeptHeader;
  for (OpId id : prologue) {
    const Op& row_op = g.op(id);
    if (!frame.single() || find_row_op(row_op.def->name) == nullptr)
      throw Error(row_op.loc, row_op.def->name + " stands in front of a " + op().def->name +
                                  ": its kernel computes that only for one token, row by row");
    for (ValueId v : row_op.results) {
      if (is_kv(g.type(v).dtype)) throw Error(row_op.loc, "a cache is changed in front of a contraction");
      const bool escapes = g.is_output(v);
      if (!escapes && !frame.needs_memory(v)) continue;
      if (escapes) published[v] = frame.output_slot(v);
      kept_bytes += row_bytes(g.type(v));
      frame.place_in_scratch(v, -kept_bytes);
    }
    check_sub_rows(frame, id);
  }
}

void LinearForm::take_epilogue(const std::vector<OpId>& behind) {
  const Graph& g = frame.g;
  const ValueId y = op().results[0];
  if (!behind.empty()) halves = halves_of(g, y, layout->group_rows());
  std::vector<OpId> before;
  const Epilogue epilogue{g,
                          y,
                          halves,
                          experts,
                          [&](OpId id) { return holds(behind, id); },
                          [&](OpId id) { return holds(before, id); }};
  for (OpId id : behind) {
    const Op& next = g.op(id);
    if (!quantised.valid() && epilogue.quantises(next)) {
      quantised = next.results[0];
    } else if (!epilogue.fits(next)) {
      throw Error(next.loc,
                  next.def->name + " %" + g.value(next.results[0]).name +
                      " cannot be computed as the outputs of " + op().def->name +
                      " come: it is not elementwise over exactly these, or needs what is not ready");
    } else {
      before.push_back(id);
    }
  }
  for (ValueId v : frame.stores) {
    const OpId made = g.value(v).def;
    if (made != core && !holds(behind, made)) continue;
    stores.push_back(v);
    if (frame.spec.logits) logits = v;  // its only output
  }
}

std::vector<ValueId> halves_of(const Graph& g, ValueId y, int64_t group_rows) {
  const auto& uses = g.value(y).uses;
  if (uses.size() != 1 || g.is_output(y)) return {};
  const Op& split = g.op(uses[0].op);
  if (split.def->name != "split" || split.results.size() != 2) return {};
  const int64_t half = g.type(split.results[0]).last();
  if (half != g.type(split.results[1]).last() || half % group_rows != 0) return {};
  if (g.is_output(split.results[0]) || g.is_output(split.results[1])) return {};
  return split.results;
}

bool Epilogue::fits(const Op& op) const {
  const Type& out = g.type(halves.empty() ? result : halves[0]);
  if (op.def->category != OpCategory::elementwise || g.type(op.results[0]) != out) return false;
  return std::all_of(op.operands.begin(), op.operands.end(), [&](ValueId v) {
    if (std::find(halves.begin(), halves.end(), v) != halves.end()) return true;
    const ValueId memory = view_root(g, v).value;
    // The contraction's own result as a whole, if it is not taken by halves.
    if (memory == result) return halves.empty() && v == result;
    if (g.def_op(memory) && made_behind(g.value(memory).def)) return v == memory && inside(g.value(v).def);
    return g.type(v) == out || g.type(v).rank() == 1;
  });
}

bool Epilogue::quantises(const Op& op) const {
  if (op.def->name != "quantize") return false;
  const ValueId x = op.operands[0];
  const bool rows = g.type(x).rank() == 2 || experts;
  return rows && g.type(x).last() % kQ8Block == 0 && g.def_op(x) && x != result && inside(g.value(x).def);
}

}  // namespace lmc
