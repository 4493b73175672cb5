// short_conv: the last few rows of the token's sequence, read from their slots of the ring, times the taps.
// Lanes are channels; each sum runs over the taps in order, whoever else is in the step.
#include "codegen/kernels/cache_slot.h"
#include "ir/cache_layout.h"
#include "ir/op_def.h"

namespace lmc::kernels::short_conv {
namespace {

// A row that a tap meets, and whether the sequence had begun there.
struct TapRow {
  llvm::Value *address, *there;
};

std::vector<TapRow> tap_rows(RowEmitter& e, const Op& op, int64_t taps) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const CacheLayout layout(e.cache(op.operands[0]));
  llvm::Value* pos = b.CreateSExt(k.load(b.getInt32Ty(), e.address(op.operands[1]), 4), b.getInt64Ty());
  std::vector<TapRow> out;
  for (int64_t j = 0; j < taps; ++j) {
    llvm::Value* from = k.add(pos, k.i64(j + 1 - taps));
    const CacheSlot slot = cache_slot(e, op.operands[0], k.max(from, k.i64(0)));
    llvm::Value* row = k.at(k.at(slot.page, layout.v_offset), k.mul(slot.in_page, layout.v_position_bytes));
    out.push_back({row, b.CreateICmpSGE(from, k.i64(0))});
  }
  return out;
}

void short_conv(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const ValueId w = op.operands[2];
  const std::vector<TapRow> rows = tap_rows(e, op, e.g.type(w).dims[0]);
  e.for_wide_lanes(e.g.type(w).last(), [&](llvm::Value* i, int64_t n) {
    llvm::Value* sum = k.splat(0.0);
    for (size_t j = 0; j < rows.size(); ++j) {
      llvm::Value* row = k.load(k.floats(), k.at(rows[j].address, k.mul(i, 4)), 4);
      llvm::Value* more = k.fma(e.lanes(w, k.i64(static_cast<int64_t>(j)), i), row, sum);
      sum = b.CreateSelect(rows[j].there, more, sum);
    }
    if (op.operands.size() > 3) sum = b.CreateFAdd(sum, e.lanes(op.operands[3], k.i64(0), i));
    e.store(op.results[0], k.i64(0), i, sum, n);
  });
}

const RegisterRowOp kShortConv("short_conv", {nullptr, short_conv});

}  // namespace
}  // namespace lmc::kernels::short_conv
