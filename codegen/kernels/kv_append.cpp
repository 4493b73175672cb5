// kv_append: writes one token's keys and values into its slot of the ring (ir/cache_layout.h).
#include "codegen/kernels/cache_slot.h"
#include "codegen/kernels/quantize.h"
#include "ir/cache_layout.h"

namespace lmc::kernels::kv_append {
namespace {

// Where a token's keys and values go: the block of positions of each that holds its slot, and which of the
// block the slot is.
struct Places {
  llvm::Value *keys, *values, *slot;
};

void store_floats(RowEmitter& e, const Op& op, const PlanCache& cache, llvm::Value* head, const Places& to) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const CacheLayout layout(cache);
  const bool f16 = cache.dtype == DType::kv_f16;
  const auto stored = [&](llvm::Value* v) {
    return f16 ? b.CreateFPTrunc(v, llvm::FixedVectorType::get(b.getHalfTy(), kLanes)) : v;
  };
  llvm::Value* keys = k.at(to.keys, k.mul(to.slot, layout.element_bytes));
  llvm::Value* values = k.at(to.values, k.mul(to.slot, layout.v_position_bytes));
  e.for_lanes(cache.key_dim, [&](llvm::Value* j, int64_t n) {
    llvm::Value* key = stored(e.lanes(op.operands[1], head, j));
    for (int64_t i = 0; i < n; ++i) {
      llvm::Value* at = k.at(keys, k.mul(k.add(j, k.i64(i)), layout.block * layout.element_bytes));
      k.store(b.CreateExtractElement(key, k.i64(i)), at, layout.element_bytes);
    }
  });
  e.for_lanes(cache.value_dim, [&](llvm::Value* j, int64_t n) {
    // V rows are padded to whole vectors; the padding must be numbers, for it is multiplied later.
    llvm::Value* value = stored(k.keep_lanes(e.lanes(op.operands[2], head, j), n));
    k.store(value, k.at(values, k.mul(j, layout.element_bytes)), layout.element_bytes);
  });
}

// A block that holds NaN or an infinity becomes one of NaN, as Q8_0 says: whoever looks back on it shall see.
llvm::Value* scale_of(KernelBuilder& k, const QuantisedBlock& block, const BlockParts& numbers) {
  auto& b = k.ir();
  llvm::Value* zeros = k.splat(0.0);
  for (llvm::Value* v : numbers) zeros = k.fma(v, k.splat(0.0), zeros);
  llvm::Value* sum = k.sum_lanes(zeros);
  llvm::Value* nan = llvm::ConstantFP::getNaN(b.getFloatTy());
  return b.CreateFPTrunc(b.CreateSelect(b.CreateFCmpUNO(sum, sum), nan, block.scale), b.getHalfTy());
}

void store_int8(RowEmitter& e, const Op& op, const PlanCache& cache, llvm::Value* head, const Places& to) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const CacheLayout layout(cache);
  const auto rounded = [&](size_t operand, llvm::Value* first, int64_t there) {
    const BlockParts numbers = block_parts(e, op.operands[operand], head, first, there);
    const QuantisedBlock block = quantised(k, numbers);
    return std::pair(block.numbers, scale_of(k, block, numbers));
  };
  llvm::Value* key_scales = k.at(to.keys, k.add(k.i64(layout.block * layout.k_row), k.mul(to.slot, 2)));
  llvm::Value* value_scales =
      k.at(to.values, k.add(k.i64(layout.block * layout.v_row), k.mul(to.slot, layout.v_row / kQ8Block * 2)));
  const auto block_of = [&](llvm::Value* first) { return b.CreateUDiv(first, k.i64(kQ8Block)); };
  for_blocks(k, cache.key_dim, [&](llvm::Value* first, int64_t there) {
    const auto [key, key_scale] = rounded(1, first, there);
    llvm::Value* quads = b.CreateBitCast(key, k.vector(b.getInt32Ty(), kQ8Block / 4));
    llvm::Value* keys = k.at(to.keys, k.add(k.mul(first, layout.block), k.mul(to.slot, 4)));
    for (int64_t quad = 0; quad < kQ8Block / 4; ++quad)
      k.store(b.CreateExtractElement(quads, k.i64(quad)), k.at(keys, quad * layout.block * 4), 4);
    k.store(key_scale, k.at(key_scales, k.mul(block_of(first), layout.block * 2)), 2);
  });
  for_blocks(k, cache.value_dim, [&](llvm::Value* first, int64_t there) {
    const auto [value, value_scale] = rounded(2, first, there);
    k.store(value, k.at(to.values, k.add(k.mul(to.slot, layout.v_row), first)));
    k.store(value_scale, k.at(value_scales, k.mul(block_of(first), 2)), 2);
  });
}

void kv_append(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const PlanCache& cache = e.cache(op.operands[0]);
  const CacheLayout layout(cache);
  llvm::Value* pos = b.CreateSExt(k.load(b.getInt32Ty(), e.address(op.operands[3]), 4), b.getInt64Ty());
  const CacheSlot slot = cache_slot(e, op.operands[0], pos);
  llvm::Value* block = b.CreateAnd(slot.in_page, k.i64(-layout.block));
  k.loop(k.i64(0), k.i64(cache.kv_heads), 1, [&](llvm::Value* head) {
    llvm::Value* keys = k.add(k.mul(head, layout.k_head_bytes), k.mul(block, layout.k_position_bytes));
    llvm::Value* values = k.add(k.mul(head, layout.v_head_bytes), k.mul(block, layout.v_position_bytes));
    const Places to{k.at(slot.page, keys), k.at(k.at(slot.page, layout.v_offset), values),
                    b.CreateAnd(slot.in_page, k.i64(layout.block - 1))};
    (cache.dtype == DType::kv_q8_0 ? store_int8 : store_floats)(e, op, cache, head, to);
  });
}

const RegisterRowOp kKvAppend("kv_append", {nullptr, kv_append, true});

}  // namespace
}  // namespace lmc::kernels::kv_append
