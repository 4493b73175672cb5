// Rows of weights live in lanes and k runs in order: each output element is one chain of fused multiply-adds,
// block by block, whatever the tiling, the rows of a group, the number of tokens in flight or of threads.
// Same sums, same bits. How many rows a group has is the layout's to say; what follows the sums is computed
// for 8 of them at a time (linear_outputs.h).
//
// A core walks a tile in four streams in step: each is a quarter of it, group of weight rows after group, so
// that it runs straight through memory. It asks for what a stream will need some kilobytes later, across the
// border to the next tile: that keeps enough cache lines in flight to reach the memory limit (linear_walk.h).
//
// Projections by experts (linear_experts) are the same work for the rows of one expert (linear_rows.h).
#include "codegen/kernels/linear.h"

#include <optional>

#include "codegen/kernels/allowed_rows.h"
#include "codegen/kernels/linear_outputs.h"
#include "codegen/kernels/linear_rows.h"
#include "codegen/kernels/linear_walk.h"
#include "codegen/kernels/row_kernel.h"
#include "codegen/packed_form.h"

namespace lmc {

void emit_linear_kernel(KernelBuilder& k, const LinearForm& form) {
  auto& b = k.ir();
  const Frame& frame = form.frame;
  llvm::Value* tile = k.tile();
  llvm::Value* next = k.next();
  llvm::Value* has_next = b.CreateICmpSGE(next, k.i64(0));
  llvm::Value* share = nullptr;
  if (form.experts) {  // the next tile's weights are known to be near only if it has the same share
    llvm::Value* tiles = k.i64((form.groups() + frame.spec.grain - 1) / frame.spec.grain);
    share = b.CreateUDiv(tile, tiles);
    has_next = b.CreateAnd(has_next, b.CreateICmpEQ(b.CreateUDiv(next, tiles), share));
    tile = b.CreateURem(tile, tiles);
    next = b.CreateURem(next, tiles);
  }
  llvm::Value* first = k.mul(tile, frame.spec.grain);
  llvm::Value* end = k.min(k.add(first, k.i64(frame.spec.grain)), k.i64(form.groups()));
  llvm::Value* scratch = k.scratch();
  llvm::Value* list = k.at(scratch, LinearWalk::scratch_bytes(form));
  LinearRows rows(k, form, frame.over_rows ? k.rows() : k.tokens(), share, list);
  llvm::Value* weights = k.operand(frame.slot(form.op().operands[1]).operand);
  const auto multiply = [&] {
    if (form.experts) {
      const int64_t matrix = PackedForm(form.layout->name()).bytes({form.outputs, form.cols});
      weights = k.at(weights, k.mul(rows.expert(), matrix));
    }
    std::optional<AllowedRows> allowed;
    if (form.logits.valid()) allowed.emplace(k, form.layout->group_rows());
    LinearOutputs outputs(k, form, rows, first);
    if (allowed) outputs.search(*allowed);
    LinearWalk walk(k, form, rows, outputs, weights, allowed ? &*allowed : nullptr);
    walk.emit({first, end, has_next, k.mul(next, frame.spec.grain)});
  };
  if (frame.single()) {
    k.if_then(b.CreateICmpSGT(rows.count(), k.i64(0)), [&] {
      if (!form.prologue.empty()) emit_prologue(k, frame, form.prologue, form.published);
      multiply();
    });
  } else {
    multiply();
  }
  k.finish();
}

int64_t linear_scratch_bytes(const LinearForm& form) {
  return LinearWalk::scratch_bytes(form) + LinearRows::list_bytes(form);
}

}  // namespace lmc
