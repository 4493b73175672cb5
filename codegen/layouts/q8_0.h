// The numbers of a block of Q8_0 are 8 runs of (rows × 4 columns) int8.
#pragma once

#include "codegen/layouts/scaled_blocks.h"
#include "codegen/target.h"

namespace lmc {

class Q8Blocks : public ScaledBlocks {
 public:
  explicit Q8Blocks(int64_t rows);  // of a group

  bool fits_matrix_unit(const Target& target) const override;
  void emit_block_by_unit(KernelBuilder& k, const UnitContraction& c, llvm::Value* block) const override;

 protected:
  void pack_numbers(const std::byte* numbers, int64_t row, std::byte* block) const override;
  int number(const std::byte* block, int64_t row, int64_t col) const override;
  bool gains_by_ready(const Target& target) const override { return target.prepares_for_good(); }
  void emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const override;
  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, const std::vector<llvm::Value*>& blocks,
                       const Activations& activations) const override;
  llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                            llvm::Value* j) const override;

 private:
  int64_t quad_bytes() const { return group_rows() * 4; }
};

}  // namespace lmc
