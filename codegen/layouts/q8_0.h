// The numbers of a block of Q8_0 are 8 quads of (rows × 4 columns) int8; so are those of other formats once
// they are ready. Or they are kept 128 too large, as u8: the form in which some targets multiply them.
#pragma once

#include "codegen/layouts/scaled_blocks.h"
#include "codegen/target.h"

namespace lmc {

class Q8Blocks : public ScaledBlocks {
 public:
  Q8Blocks(int64_t rows, Kind kind);  // rows: of a group; usual or of_unsigned

  std::string name() const override;
  int64_t turns() const override { return kQuads; }
  Kind kind() const override { return kind_; }
  ByUnit by_matrix_unit(const Target& target) const override {
    return target.unit_takes(group_rows()) && !of_unsigned() ? ByUnit::in_place : ByUnit::no;
  }
  llvm::Value* emit_unit_numbers(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                                 llvm::Value*) const override {
    return k.at(group.first, block_offset(k, block));
  }

 protected:
  static constexpr int64_t kQuads = 8;  // of 4 columns

  // Of another way to keep them, or another format: as ScaledBlocks says.
  Q8Blocks(std::string format, int64_t rows, int64_t number_bytes)
      : ScaledBlocks(std::move(format), rows, number_bytes) {}

  int64_t quad_bytes() const { return group_rows() * 4; }
  llvm::Type* quad_type(KernelBuilder& k) const { return k.vector(k.ir().getInt8Ty(), quad_bytes()); }
  // Sums to begin with: variables, by group and activation row.
  Dots start_dots(KernelBuilder& k, const Contraction& c, const Activations& activations) const;
  static void read_dots(KernelBuilder& k, Dots& dots);
  void pack_numbers(const std::byte* numbers, int64_t row, std::byte* block) const override;
  int number(const std::byte* block, int64_t row, int64_t col) const override;
  bool gains_by_ready(const Target& target) const override {
    return target.prepares_for_good() && !of_unsigned();
  }
  void emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const override;
  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, llvm::Value* block,
                       const std::vector<llvm::Value*>& blocks,
                       const Activations& activations) const override;
  llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                            llvm::Value* j) const override;

 private:
  bool of_unsigned() const { return kind_ == Kind::of_unsigned; }
  std::byte kept(std::byte number) const { return of_unsigned() ? number ^ std::byte{0x80} : number; }
  llvm::Value* as_int8(KernelBuilder& k, llvm::Value* numbers) const;

  Kind kind_ = Kind::usual;
};

}  // namespace lmc
