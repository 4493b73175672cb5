// Blocks of 32 columns × 8 rows of numbers 0 … 15: 4 runs of (8 rows × 4) bytes, of which run i holds columns
// 4 i … 4 i + 3 in its low halves and columns 16 + 4 i … in its high ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "codegen/layouts/activations.h"
#include "codegen/weight_layout.h"

namespace lmc {

inline constexpr int64_t kNibbleBytes = 8 * kQ8Block / 2;

// Row `row` of a block; `q` has column c in the low half of byte c, column 16 + c in its high half.
void pack_nibbles(const std::byte* q, int64_t row, std::byte* block);
int unpack_nibble(const std::byte* block, int64_t row, int64_t col);

// Exact dot products of the blocks at `blocks`, one of each group of `c`, with the activations: <8 x i32> by
// group and activation row.
std::vector<std::vector<llvm::Value*>> emit_nibble_dots(KernelBuilder& k, const Contraction& c,
                                                        const std::vector<llvm::Value*>& blocks,
                                                        const Activations& activations);
// Columns [j % 32, j % 32 + 8) of row `lane`, <8 x f32>.
llvm::Value* emit_nibble_row(KernelBuilder& k, llvm::Value* block, llvm::Value* lane, llvm::Value* j);

}  // namespace lmc
