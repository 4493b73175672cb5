// A row of quantised activations, as kernels/quantize.h stores it: int8 values padded to whole blocks of 32,
// an f32 scale per block, an i32 sum per block.
#pragma once

#include "codegen/kernels/builder.h"
#include "ir/type.h"

namespace lmc {

class Activations {
 public:
  Activations(KernelBuilder& k, int64_t cols, llvm::Value* block)
      : k_(k), block_(block), blocks_((cols + kQ8Block - 1) / kQ8Block) {}

  // Columns [4 quad, 4 quad + 4) of the block, repeated for so many weight rows: <4 rows x i8>.
  llvm::Value* repeated(llvm::Value* row, llvm::Value* quad, int64_t weight_rows) const {
    auto& b = k_.ir();
    llvm::Value* at = k_.add(k_.mul(block_, kQ8Block), k_.mul(quad, 4));
    llvm::Value* four = k_.load(b.getInt32Ty(), k_.at(row, at), 4);
    const auto rows = static_cast<unsigned>(weight_rows);
    return b.CreateBitCast(b.CreateVectorSplat(rows, four),
                           llvm::FixedVectorType::get(b.getInt8Ty(), 4 * rows));
  }
  llvm::Value* numbers(llvm::Value* row) const { return k_.at(row, k_.mul(block_, kQ8Block)); }
  llvm::Value* scale(llvm::Value* row) const { return k_.load(k_.ir().getFloatTy(), beside(row, 0), 4); }
  llvm::Value* sum(llvm::Value* row) const {
    return k_.load(k_.ir().getInt32Ty(), beside(row, blocks_ * 4), 4);
  }

 private:
  llvm::Value* beside(llvm::Value* row, int64_t bytes) const {
    return k_.at(row, k_.add(k_.i64(blocks_ * kQ8Block + bytes), k_.mul(block_, 4)));
  }

  KernelBuilder& k_;
  llvm::Value* block_;
  int64_t blocks_;
};

}  // namespace lmc
