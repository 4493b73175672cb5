// Blocks of 32 columns × a group's rows of numbers of 5 or 6 bits: the lower four as in nibbles.h, then the
// upper ones. These are a run of (rows × 4) bytes for each bit more, where a number's byte is that of the row
// and of its column modulo 4:
//
//   5 bits: bits 0 … 3 of columns 0 …, 16 …, 4 …, 20 …, bits 4 … 7 of columns 8 …, 24 …, 12 …, 28 …
//   6 bits: the same columns, two bits for each, the first four in the first run and the others in the second
//
// so that runs 2 i and 2 i + 1 of the lower bits and half a run, or run i, of the upper ones are four quads.
#pragma once

#include <array>

#include "codegen/layouts/nibbles.h"

namespace lmc {

class MoreBits {
 public:
  // `rows` of a group; 5 or 6 `bits`.
  constexpr MoreBits(int64_t rows, int bits) : nibbles_(rows), rows_(rows), upper_(bits - 4) {}

  constexpr int64_t bytes() const { return nibbles_.bytes() + upper_ * nibbles_.run_bytes(); }  // of a block

  // Row `row` of a block, which held nothing but zeros in its place.
  using Numbers = std::array<uint8_t, kQ8Block>;
  void pack(const Numbers& q, int64_t row, std::byte* block) const;
  int unpack(const std::byte* block, int64_t row, int64_t col) const;

  // A byte for each number, as Nibbles has it.
  void emit_ready(KernelBuilder& k, llvm::Value* block, llvm::Value* out,
                  const Nibbles::Map& as = nullptr) const;
  // Adds to `first` the exact dot products of columns 0 … 15, and to `second` those of the others (variables
  // <rows x i32>, by group and activation row, which may be the same ones): of the blocks at `blocks`, one of
  // each group of `c`; ready ones, if `c` says so.
  using Sums = std::vector<std::vector<llvm::Value*>>;
  void emit_dots(KernelBuilder& k, const Contraction& c, const std::vector<llvm::Value*>& blocks,
                 const Activations& activations, const Sums& first, const Sums& second) const;
  // All columns together: <rows x i32> by group and activation row.
  Sums emit_whole_dots(KernelBuilder& k, const Contraction& c, const std::vector<llvm::Value*>& blocks,
                       const Activations& activations) const;
  // Columns [j % 32, j % 32 + 8) of row `lane`, <8 x i8>, or in f32.
  llvm::Value* emit_bytes(KernelBuilder& k, llvm::Value* block, llvm::Value* lane, llvm::Value* j) const;
  llvm::Value* emit_row(KernelBuilder& k, llvm::Value* block, llvm::Value* lane, llvm::Value* j) const;

 private:
  // Columns 8 i … and 8 i + 4 …, 16 + 8 i … and 20 + 8 i …, <4 rows x i8> each.
  struct Quads {
    Target::TwoSteps first, second;
  };
  Quads load(KernelBuilder& k, llvm::Value* block, llvm::Value* i) const;
  Quads load_ready(KernelBuilder& k, llvm::Value* block, llvm::Value* i) const;

  llvm::Type* run_type(KernelBuilder& k) const { return k.vector(k.ir().getInt8Ty(), nibbles_.run_bytes()); }
  // The run of upper bits that holds those of a quad of columns, and how far up they are in it.
  struct Upper {
    int64_t run;
    int shift;
  };
  constexpr Upper upper(int64_t quad) const {
    const auto place = static_cast<int>(quad % 2 * 2 + quad / 4 + (upper_ == 1 ? quad % 4 / 2 * 4 : 0));
    return {upper_ == 1 ? 0 : quad % 4 / 2, place * upper_};
  }

  Nibbles nibbles_;
  int64_t rows_;
  int upper_;  // bits of a number beyond four
};

}  // namespace lmc
