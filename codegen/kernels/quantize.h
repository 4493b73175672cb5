// Quantising of activations, where a row kernel or the epilogue of a linear does it, and of what caches keep.
#pragma once

#include <array>

#include "codegen/kernels/row_kernel.h"

namespace lmc {

// 32 numbers in blocks of 8, in registers.
using BlockParts = std::array<llvm::Value*, 4>;

// A block of Q8_0 of them: `scale` f32, an f16 number; `numbers` <32 x i8> in [-127, 127], `sum` theirs, i32.
struct QuantisedBlock {
  llvm::Value *scale, *numbers, *sum;
};
QuantisedBlock quantised(KernelBuilder& k, const BlockParts& parts);

// Elements [first, first + 32) of sub-row `outer` of `v`, of which so many are there; zeros behind them.
BlockParts block_parts(RowEmitter& e, ValueId v, llvm::Value* outer, llvm::Value* first, int64_t there);

// Calls `body(first, there)` for each block of a row of `length`, as above.
void for_blocks(KernelBuilder& k, int64_t length,
                const std::function<void(llvm::Value* first, int64_t there)>& body);

// Stores elements [first, first + 32) of sub-row `outer` of the current token's row of `result` (Q8_0) from
// four vectors of 8. `first` is a multiple of 32.
void store_quantised(RowEmitter& e, ValueId result, llvm::Value* outer, llvm::Value* first,
                     const BlockParts& parts);

}  // namespace lmc
