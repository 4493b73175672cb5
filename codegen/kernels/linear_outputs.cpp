#include "codegen/kernels/linear_outputs.h"

#include <algorithm>

#include "codegen/kernels/linear_walk.h"
#include "codegen/kernels/quantize.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/op_def.h"

namespace lmc {

LinearOutputs::LinearOutputs(KernelBuilder& builder, const LinearForm& f, LinearRows& rows,
                             llvm::Value* first)
    : k(builder), b(builder.ir()), form(f), rows_(rows), first_(first), group_rows_(f.layout->group_rows()) {}

int64_t LinearOutputs::results_bytes(const LinearForm& form) {
  return form.quantised.valid()
             ? LinearWalk::kMostRows * form.frame.spec.grain * form.layout->group_rows() * 4
             : 0;
}

int64_t LinearOutputs::lanes() const {
  return argmax_ ? kLanes : std::min(group_rows_, k.target().float_lanes());
}

llvm::Value* LinearOutputs::finish(llvm::Value* column, llvm::Value* row, llvm::Value* line,
                                   std::vector<llvm::Value*> sums) {
  const Op& op = form.op();
  const Graph& g = form.frame.g;
  const LinearRow at = rows_.at(row);
  RowEmitter e(k, form.frame, at.token);
  llvm::Value* zero = k.i64(0);
  for (size_t part = 0; part < sums.size(); ++part) {
    const size_t bias = form.experts ? 3 : 2;
    if (op.operands.size() > bias) {
      llvm::Value* of_part = k.add(column, k.i64(static_cast<int64_t>(part) * form.groups() * group_rows_));
      llvm::Value* of_expert = form.experts ? rows_.expert() : zero;
      llvm::Value* with_bias = b.CreateFAdd(sums[part], e.lanes(op.operands[bias], of_expert, of_part));
      llvm::Value* here = form.experts ? rows_.here() : nullptr;
      sums[part] = here ? b.CreateSelect(here, with_bias, sums[part]) : with_bias;
    }
    e.bind(form.parts() == 1 ? op.results[0] : form.halves[part], sums[part]);
  }
  const int64_t outputs = form.outputs / form.parts();
  for (ValueId v : form.stores) {
    if (v == form.quantised) continue;
    llvm::Value* y = sums[0];
    if (v != op.results[0]) {  // not through its own slot: that is where it goes
      const Op& last = *g.def_op(v);
      std::vector<llvm::Value*> operands;
      for (ValueId o : last.operands) operands.push_back(e.lanes(o, at.slot, column));
      y = find_row_op(last.def->name)->lanes(k, last, operands);
      e.bind(v, y);
    }
    llvm::Value* element = form.experts ? k.add(k.mul(at.slot, outputs), column) : column;
    const auto store_all = [&] { store(y, k.at(e.address(v), k.mul(element, 4)), column, outputs); };
    if (argmax_ && v == form.logits) {
      k.if_then(argmax_->wanted(), [&] { argmax_->see(line, y, column, allowed_->eight(column)); });
      k.if_then(b.CreateNot(argmax_->wanted()), store_all);
    } else {
      store_all();
    }
  }
  return form.quantised.valid() ? e.lanes(g.def_op(form.quantised)->operands[0], at.slot, column) : nullptr;
}

void LinearOutputs::store(llvm::Value* y, llvm::Value* to, llvm::Value* column, int64_t outputs) {
  if (outputs % group_rows_ == 0) return k.store(y, to, 4);
  llvm::Value* columns = b.CreateAdd(k.splat(column), k.lane_ids());
  k.store_masked(y, to, b.CreateICmpSLT(columns, k.splat(k.i64(outputs))));
}

llvm::Value* LinearOutputs::kept(llvm::Value* group, llvm::Value* line) {
  llvm::Value* column = k.mul(b.CreateSub(group, first_), group_rows_ * 4);
  return k.at(k.scratch(), k.add(k.mul(line, form.frame.spec.grain * group_rows_ * 4), column));
}

void LinearOutputs::keep(llvm::Value* group, int64_t at, llvm::Value* line, llvm::Value* result) {
  k.store(result, k.at(kept(group, line), at * k.lanes() * 4), 4);
}

void LinearOutputs::quantise_kept(llvm::Value* group, llvm::Value* line, llvm::Value* row) {
  llvm::Value* from = kept(group, line);
  Block block;
  for (size_t i = 0; i < block.size(); ++i)
    block[i] = k.load(k.floats(), k.at(from, static_cast<int64_t>(i) * kLanes * 4), 4);
  quantise(group, row, block);
}

void LinearOutputs::quantise(llvm::Value* group, llvm::Value* row, const Block& block) {
  const LinearRow at = rows_.at(row);
  RowEmitter e(k, form.frame, at.token);
  store_quantised(e, form.quantised, at.slot, k.mul(group, group_rows_), block);
}

void LinearOutputs::search(AllowedRows& allowed) {
  argmax_.emplace(k, form.outputs, form.frame.single() ? 1 : LinearWalk::kMostRows);
  allowed_ = &allowed;
}

void LinearOutputs::start_line(llvm::Value* line) { argmax_->start(line); }

void LinearOutputs::finish_line(llvm::Value* line, llvm::Value* row) {
  k.if_then(argmax_->wanted(), [&] { argmax_->finish(line, row, form.frame.spec.tiles); });
}

}  // namespace lmc
