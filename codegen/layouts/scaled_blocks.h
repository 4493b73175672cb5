// Layouts of blocks of 32 columns × a group's rows: the numbers, then the rows' f16 scales. A number is a
// whole number times its row's scale.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "codegen/kernels/activations.h"
#include "codegen/weight_layout.h"
#include "ir/block_format.h"

namespace lmc {

class ScaledBlocks : public WeightLayout {
 public:
  std::string name() const override { return format_ + ".rows" + std::to_string(rows_); }
  DType dtype() const override { return *dtype_from_name(format_); }
  int64_t group_rows() const override { return rows_; }
  int64_t group_bytes(int64_t cols) const override { return blocks(cols) * block_bytes(); }
  void pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override;
  float element(const std::byte* group, int64_t cols, int64_t row, int64_t col) const override;
  llvm::Value* run_offset(KernelBuilder& k, int64_t cols, llvm::Value* number, size_t) const override {
    return k.mul(number, group_bytes(cols));
  }
  int64_t block_cols() const override { return kQ8Block; }
  int64_t block_bytes() const override { return number_bytes_ + rows_ * 2; }
  llvm::Value* block_offset(KernelBuilder& k, llvm::Value* block) const override {
    return k.mul(block, block_bytes());
  }
  void emit_block(KernelBuilder& k, const Contraction& c, llvm::Value* block, int64_t count) const override;
  void emit_block_by_unit(KernelBuilder& k, const UnitContraction& c, llvm::Value* block) const override;
  int64_t ready_bytes(const Target& target) const override;
  void emit_ready(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                  llvm::Value* out) const override;
  llvm::Value* emit_row(KernelBuilder& k, llvm::Value* group, llvm::Value* lane, int64_t cols,
                        llvm::Value* j) const override;

 protected:
  // The scales of a block's rows, <rows x f32>.
  llvm::Value* group_scales(KernelBuilder& k, llvm::Value* block) const {
    return k.widen(k.load(k.vector(k.ir().getHalfTy(), rows_), k.at(block, number_bytes_), 2));
  }

  using Dots = std::vector<std::vector<llvm::Value*>>;

  // `rows`: of a group; `number_bytes`: of theirs in a block. In the format's own blocks they stand behind an
  // f16 scale.
  ScaledBlocks(std::string format, int64_t rows, int64_t number_bytes)
      : format_(std::move(format)), rows_(rows), number_bytes_(number_bytes) {}

  // A row's numbers, as the format has them, into a block and one of them out of it.
  virtual void pack_numbers(const std::byte* numbers, int64_t row, std::byte* block) const = 0;
  virtual int number(const std::byte* block, int64_t row, int64_t col) const = 0;
  // A block made ready is 8 quads of its numbers as products want them, then the scales in f32.
  virtual bool gains_by_ready(const Target&) const { return false; }
  virtual void emit_ready_numbers(KernelBuilder&, llvm::Value* /*block*/, llvm::Value* /*out*/) const {}
  // Exact dot products of block number `block` with the activations' whole numbers, <rows x i32> by group and
  // activation row. `blocks`: where it lies in each group, or what was made ready.
  virtual Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, llvm::Value* block,
                               const std::vector<llvm::Value*>& blocks,
                               const Activations& activations) const = 0;
  // Columns [j % 32, j % 32 + 8) of row `lane`, <8 x f32>.
  virtual llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                                    llvm::Value* j) const = 0;

  int64_t blocks(int64_t cols) const { return format().blocks(cols); }
  int64_t ready_numbers() const { return kQ8Block * rows_; }  // bytes

 private:
  const BlockFormat& format() const { return block_format(dtype()); }

  std::string format_;
  int64_t rows_, number_bytes_;
};

}  // namespace lmc
