// Blocks of 32 columns × a group's rows of numbers 0 … 15: 4 runs of (rows × 4) bytes, of which run i holds
// columns 4 i … 4 i + 3 in its low halves and columns 16 + 4 i … in its high ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "codegen/kernels/activations.h"
#include "codegen/weight_layout.h"

namespace lmc {

class Nibbles {
 public:
  explicit constexpr Nibbles(int64_t rows) : rows_(rows) {}  // of a group

  constexpr int64_t bytes() const { return rows_ * kQ8Block / 2; }  // of a block

  // Row `row` of a block; `q` has column c in the low half of byte c, column 16 + c in its high half.
  void pack(const std::byte* q, int64_t row, std::byte* block) const;
  int unpack(const std::byte* block, int64_t row, int64_t col) const;

  // A byte for each number: 8 runs of columns 4 i … 4 i + 3, 32 rows bytes. `as`: what stands there instead
  // of a run's numbers <4 rows x i8>, if it is given.
  using Map = std::function<llvm::Value*(llvm::Value* numbers)>;
  void emit_ready(KernelBuilder& k, llvm::Value* block, llvm::Value* out, const Map& as = nullptr) const;
  // Exact dot products of the blocks at `blocks`, one of each group of `c`, with the activations:
  // <rows x i32> by group and activation row. Ready ones, if `c` says so.
  std::vector<std::vector<llvm::Value*>> emit_dots(KernelBuilder& k, const Contraction& c,
                                                   const std::vector<llvm::Value*>& blocks,
                                                   const Activations& activations) const;
  // Columns [j % 32, j % 32 + 8) of row `lane`, <8 x i8>, or in f32.
  llvm::Value* emit_bytes(KernelBuilder& k, llvm::Value* block, llvm::Value* lane, llvm::Value* j) const;
  llvm::Value* emit_row(KernelBuilder& k, llvm::Value* block, llvm::Value* lane, llvm::Value* j) const;

  static constexpr int64_t kRuns = 4;
  constexpr int64_t run_bytes() const { return rows_ * 4; }
  // The numbers of the run at `run`, <4 rows x i8> each.
  struct Halves {
    llvm::Value *low, *high;
  };
  Halves load(KernelBuilder& k, llvm::Value* run) const;

 private:
  llvm::Type* run_type(KernelBuilder& k) const;

  int64_t rows_;
};

}  // namespace lmc
