// kv_append: writes one token's keys and values into its slot of the ring (ir/cache_layout.h).
#include "codegen/kernels/row_kernel.h"
#include "ir/cache_layout.h"

namespace lmc::kernels::kv_append {
namespace {

void kv_append(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const PlanCache& cache = e.cache(op.operands[0]);
  const CacheLayout layout(cache);
  const bool f16 = cache.dtype == DType::kv_f16;
  llvm::Type* narrow = f16 ? b.getHalfTy() : b.getFloatTy();
  const auto stored = [&](llvm::Value* v) {
    return f16 ? b.CreateFPTrunc(v, llvm::FixedVectorType::get(narrow, kLanes)) : v;
  };

  llvm::Value* base = k.cache(e.address(op.operands[0]), e.token());
  llvm::Value* pos = b.CreateSExt(k.load(b.getInt32Ty(), e.address(op.operands[3]), 4), b.getInt64Ty());
  llvm::Value* ring = b.CreateURem(pos, k.i64(cache.capacity));
  k.loop(k.i64(0), k.i64(cache.kv_heads), 1, [&](llvm::Value* head) {
    llvm::Value* k_head = k.at(base, k.mul(head, layout.k_head_bytes));
    llvm::Value* k_block =
        k.at(k_head,
             k.mul(k.add(k.mul(b.CreateLShr(ring, 3), cache.head_dim * kLanes), b.CreateAnd(ring, k.i64(7))),
                   layout.element_bytes));
    llvm::Value* v_row =
        k.at(k.at(base, layout.v_offset),
             k.add(k.mul(head, layout.v_head_bytes), k.mul(ring, layout.v_row * layout.element_bytes)));
    e.for_lanes(cache.head_dim, [&](llvm::Value* j, int64_t n) {
      llvm::Value* key = stored(e.lanes(op.operands[1], head, j));
      for (int64_t i = 0; i < n; ++i) {
        llvm::Value* to = k.at(k_block, k.mul(k.add(j, k.i64(i)), kLanes * layout.element_bytes));
        k.store(b.CreateExtractElement(key, k.i64(i)), to, layout.element_bytes);
      }
      // V rows are padded to whole vectors; the padding must be numbers, for it is multiplied later.
      llvm::Value* value = stored(k.keep_lanes(e.lanes(op.operands[2], head, j), n));
      k.store(value, k.at(v_row, k.mul(j, layout.element_bytes)), layout.element_bytes);
    });
  });
}

const RegisterRowOp kKvAppend("kv_append", {nullptr, kv_append, true});

}  // namespace
}  // namespace lmc::kernels::kv_append
