// q8_0_high.planes8 and .planes16: the bytes of q8_0.planes8 and .planes16, of which products read the high
// plane alone. Its numbers are those of the format q8_0_high, 16 (high - 8) + 8: for steps that guess.
#pragma once

#include "codegen/layouts/planes.h"
#include "codegen/layouts/scaled_blocks.h"

namespace lmc {

class HighPlane : public ScaledBlocks {
 public:
  explicit HighPlane(int64_t rows)  // of a group
      : ScaledBlocks("q8_0_high", rows, Planes(rows).low_bytes()), planes_(rows) {}

  std::string name() const override { return "q8_0_high.planes" + std::to_string(group_rows()); }
  int64_t group_bytes(int64_t cols) const override { return planes_.group_bytes(blocks(cols)); }
  int64_t slab_groups() const override { return planes_.groups(); }
  void pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override {
    planes_.pack(rows, count, blocks(cols), out);
  }
  float element(const std::byte* slab, int64_t cols, int64_t row, int64_t col) const override;
  std::vector<Run> runs(int64_t cols) const override {
    return {{blocks(cols) * planes_.high_bytes(), planes_.high_bytes()}};
  }
  llvm::Value* run_offset(KernelBuilder& k, int64_t cols, llvm::Value* number, size_t) const override {
    return planes_.high(k, blocks(cols), number);
  }
  llvm::Value* emit_row(KernelBuilder& k, llvm::Value* slab, llvm::Value* row, int64_t cols,
                        llvm::Value* j) const override;

 protected:
  // (Of slabs, not of rows in blocks.)
  void pack_numbers(const std::byte*, int64_t, std::byte*) const override {}
  int number(const std::byte* block, int64_t row, int64_t col) const override;
  bool gains_by_ready(const Target&) const override { return true; }
  void emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const override;
  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, llvm::Value* block,
                       const std::vector<llvm::Value*>& blocks,
                       const Activations& activations) const override;
  llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                            llvm::Value* j) const override;

 private:
  Planes planes_;
};

}  // namespace lmc
