// rows_append: writes one token's row into its slot of the ring (ir/cache_layout.h; rows are values without
// keys).
#include "codegen/kernels/cache_slot.h"
#include "ir/cache_layout.h"

namespace lmc::kernels::rows_append {
namespace {

void rows_append(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const PlanCache& cache = e.cache(op.operands[0]);
  const CacheLayout layout(cache);
  llvm::Value* pos = b.CreateSExt(k.load(b.getInt32Ty(), e.address(op.operands[2]), 4), b.getInt64Ty());
  const CacheSlot slot = cache_slot(e, op.operands[0], pos);
  llvm::Value* row = k.at(k.at(slot.page, layout.v_offset), k.mul(slot.in_page, layout.v_position_bytes));
  e.for_lanes(cache.value_dim, [&](llvm::Value* j, int64_t n) {
    k.store(k.keep_lanes(e.lanes(op.operands[1], k.i64(0), j), n), k.at(row, k.mul(j, 4)), 4);
  });
}

const RegisterRowOp kRowsAppend("rows_append", {nullptr, rows_append});

}  // namespace
}  // namespace lmc::kernels::rows_append
