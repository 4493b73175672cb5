// Layouts of Q4_K and Q5_K: for every 256 columns the rows' f16 d and the rows' f16 dmin, then per block of
// 32 columns the numbers, the rows' scales and the rows' minima, a byte each. Where a row ends within 256
// columns the blocks beyond are left out.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "codegen/kernels/activations.h"
#include "codegen/weight_layout.h"
#include "ir/block_formats/block_with_minima.h"

namespace lmc {

class BlocksWithMinima : public WeightLayout {
 public:
  std::string name() const override { return format_ + ".rows" + std::to_string(rows_); }
  DType dtype() const override;
  int64_t group_rows() const override { return rows_; }
  int64_t group_bytes(int64_t cols) const override;
  void pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override;
  float element(const std::byte* group, int64_t cols, int64_t row, int64_t col) const override;
  llvm::Value* run_offset(KernelBuilder& k, int64_t cols, llvm::Value* number, size_t run) const override;
  int64_t block_cols() const override { return kQ8Block; }
  int64_t block_bytes() const override { return number_bytes_ + 2 * rows_; }
  llvm::Value* block_offset(KernelBuilder& k, llvm::Value* block) const override;
  void emit_block(KernelBuilder& k, const Contraction& c, llvm::Value* block, int64_t count) const override;
  void emit_block_by_unit(KernelBuilder& k, const UnitContraction& c, llvm::Value* block) const override;
  int64_t ready_bytes(const Target&) const override { return ready_numbers() + 2 * rows_ * 4; }
  void emit_ready(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                  llvm::Value* out) const override;
  ByUnit by_matrix_unit(const Target& target) const override {
    return target.unit_takes(rows_) ? ByUnit::brought : ByUnit::no;
  }
  llvm::Value* emit_unit_numbers(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                                 llvm::Value* out) const override;
  llvm::Value* emit_row(KernelBuilder& k, llvm::Value* group, llvm::Value* lane, int64_t cols,
                        llvm::Value* j) const override;

 protected:
  // `bits` and `number_bytes` of a block of so many rows.
  BlocksWithMinima(std::string format, int bits, int64_t rows, int64_t number_bytes)
      : format_(std::move(format)), bits_(bits), rows_(rows), number_bytes_(number_bytes) {}

  // A row's numbers into a block, which held nothing but zeros in their place, and one of them out of it.
  using Numbers = std::array<uint8_t, BlockWithMinima::kPart>;
  virtual void pack_numbers(const Numbers& q, int64_t row, std::byte* block) const = 0;
  virtual int number(const std::byte* block, int64_t row, int64_t col) const = 0;
  // A byte for each of a block, 8 quads.
  virtual void emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const = 0;
  // Exact dot products with the activations' whole numbers, <rows x i32> by group and activation row.
  using Dots = std::vector<std::vector<llvm::Value*>>;
  virtual Dots emit_whole_dots(KernelBuilder& k, const Contraction& c,
                               const std::vector<llvm::Value*>& blocks,
                               const Activations& activations) const = 0;
  // Columns [j % 32, j % 32 + 8) of row `lane`, <8 x f32>.
  virtual llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                                    llvm::Value* j) const = 0;

 private:
  // Of a block: what its whole dot products count, d scale, and what its activations' sums do, - dmin min.
  struct Factors {
    llvm::Value *scale, *min;  // <rows x f32>
  };
  Factors factors(KernelBuilder& k, llvm::Value* group, llvm::Value* block) const;
  Factors ready_factors(KernelBuilder& k, llvm::Value* block) const;
  void add(KernelBuilder& k, llvm::Value* sum, llvm::Value* dots, const Factors& of_weights,
           const Activations& activations, llvm::Value* x) const;
  int64_t ready_numbers() const { return kQ8Block * rows_; }  // bytes
  llvm::Value* bytes(KernelBuilder& k, llvm::Value* address) const;

  // From the start of the 256 columns, and from that of a block of 32.
  int64_t head_bytes() const { return 2 * rows_ * 2; }
  int64_t super_bytes() const;
  int64_t scale_offset() const { return number_bytes_; }
  int64_t min_offset() const { return scale_offset() + rows_; }
  llvm::Value* super_offset(KernelBuilder& k, llvm::Value* block) const;
  llvm::Value* part_offset(KernelBuilder& k, llvm::Value* block) const;

  std::string format_;
  int bits_;
  int64_t rows_, number_bytes_;
};

}  // namespace lmc
