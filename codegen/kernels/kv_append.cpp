// kv_append: writes one token's keys and values into its slot of the ring (ir/cache_layout.h).
#include "codegen/kernels/row_kernel.h"
#include "ir/cache_layout.h"

namespace lmc {
namespace {

using llvm::Value;

void kv_append(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const PlanCache& cache = e.cache(op.operands[0]);
  const CacheLayout layout(cache);
  const bool f16 = cache.dtype == DType::kv_f16;
  llvm::Type* narrow = f16 ? b.getHalfTy() : b.getFloatTy();
  const auto stored = [&](Value* v) {
    return f16 ? b.CreateFPTrunc(v, llvm::FixedVectorType::get(narrow, kLanes)) : v;
  };

  Value* base = k.cache(e.address(op.operands[0]), e.token());
  Value* pos = b.CreateSExt(k.load(b.getInt32Ty(), e.address(op.operands[3]), 4), b.getInt64Ty());
  Value* ring = b.CreateURem(pos, k.i64(cache.capacity));
  k.loop(k.i64(0), k.i64(cache.kv_heads), 1, [&](Value* head) {
    Value* k_head = k.at(base, k.mul(head, layout.k_head_bytes));
    Value* k_block =
        k.at(k_head,
             k.mul(k.add(k.mul(b.CreateLShr(ring, 3), cache.head_dim * kLanes), b.CreateAnd(ring, k.i64(7))),
                   layout.element_bytes));
    Value* v_row = k.at(k.at(base, layout.v_offset), k.add(k.mul(head, layout.v_head_bytes),
                                                           k.mul(ring, layout.v_row * layout.element_bytes)));
    e.for_lanes(cache.head_dim, [&](Value* j, int64_t n) {
      Value* key = stored(e.lanes(op.operands[1], head, j));
      for (int64_t i = 0; i < n; ++i) {
        Value* to = k.at(k_block, k.mul(k.add(j, k.i64(i)), kLanes * layout.element_bytes));
        k.store(b.CreateExtractElement(key, k.i64(i)), to, layout.element_bytes);
      }
      // V rows are padded to whole vectors; the padding must be numbers, for it is multiplied later.
      Value* value = stored(k.keep_lanes(e.lanes(op.operands[2], head, j), n));
      k.store(value, k.at(v_row, k.mul(j, layout.element_bytes)), layout.element_bytes);
    });
  });
}

const RegisterRowOp kKvAppend("kv_append", {nullptr, kv_append, true});

}  // namespace
}  // namespace lmc
