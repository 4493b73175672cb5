// Where the planes of q8_0.planes8 and .planes16 lie. A slab of 128 rows holds what as many rows hold in
// groups of q8_0.rows8 or .rows16, and where it is full in as many bytes, but begins with the high halves of
// all numbers, so that whoever reads these alone goes straight through much memory:
//
//   group by group, block by block of 32 columns: the high halves, each 8 larger (nibbles.h), the f16 scales
//   group by group, block by block of 32 columns: the low halves (nibbles.h)
//
// A number is 16 (high - 8) + low.
#pragma once

#include "codegen/layouts/nibbles.h"

namespace lmc {

class Planes {
 public:
  explicit constexpr Planes(int64_t rows) : rows_(rows), nibbles_(rows) {}  // of a group

  const Nibbles& nibbles() const { return nibbles_; }
  constexpr int64_t groups() const { return kSlabRows / rows_; }
  // Bytes of a block, in the high plane with its scales, and of a group of so many.
  constexpr int64_t high_bytes() const { return low_bytes() + rows_ * 2; }
  constexpr int64_t low_bytes() const { return nibbles_.bytes(); }
  constexpr int64_t group_bytes(int64_t blocks) const { return blocks * (high_bytes() + low_bytes()); }

  // Where a group's blocks begin in each plane, from the start of the matrix.
  llvm::Value* high(KernelBuilder& k, int64_t blocks, llvm::Value* group) const;
  llvm::Value* low(KernelBuilder& k, int64_t blocks, llvm::Value* group) const;

  // `rows`: up to kSlabRows, of blocks of Q8_0, one after the other.
  void pack(const std::byte* rows, int64_t count, int64_t blocks, std::byte* slab) const;
  // 0 … 15, of a row of the slab.
  int high_at(const std::byte* slab, int64_t blocks, int64_t row, int64_t col) const;
  int low_at(const std::byte* slab, int64_t blocks, int64_t row, int64_t col) const;
  float scale(const std::byte* slab, int64_t blocks, int64_t row, int64_t col) const;

 private:
  static constexpr int64_t kSlabRows = 128;

  constexpr int64_t high_offset(int64_t blocks, int64_t row, int64_t block) const {
    return (row / rows_ * blocks + block) * high_bytes();
  }
  constexpr int64_t low_offset(int64_t blocks, int64_t row, int64_t block) const {
    return groups() * blocks * high_bytes() + (row / rows_ * blocks + block) * low_bytes();
  }

  int64_t rows_;
  Nibbles nibbles_;
};

}  // namespace lmc
