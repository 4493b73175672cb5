#include "codegen/layouts/q8_0_high.h"

namespace lmc {
namespace {

constexpr int kStep = 16, kOffset = -120;  // 16 (high - 8) + 8

}  // namespace

float HighPlane::element(const std::byte* slab, int64_t cols, int64_t row, int64_t col) const {
  const int number = kStep * planes_.high_at(slab, blocks(cols), row, col) + kOffset;
  return static_cast<float>(number) * planes_.scale(slab, blocks(cols), row, col);
}

llvm::Value* HighPlane::emit_row(KernelBuilder& k, llvm::Value* slab, llvm::Value* row, int64_t cols,
                                 llvm::Value* j) const {
  auto& b = k.ir();
  llvm::Value* rows = k.i64(group_rows());
  llvm::Value* group = k.at(slab, planes_.high(k, blocks(cols), b.CreateUDiv(row, rows)));
  return ScaledBlocks::emit_row(k, group, b.CreateURem(row, rows), cols, j);
}

int HighPlane::number(const std::byte* block, int64_t row, int64_t col) const {
  return kStep * planes_.nibbles().unpack(block, row, col) + kOffset;
}

void HighPlane::emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const {
  planes_.nibbles().emit_ready(k, block, out);
}

// sum((16 high - 120) x) = 16 sum(high x) - 120 sum(x)
HighPlane::Dots HighPlane::emit_whole_dots(KernelBuilder& k, const Contraction& c, llvm::Value*,
                                           const std::vector<llvm::Value*>& blocks,
                                           const Activations& activations) const {
  auto& b = k.ir();
  Dots dots = planes_.nibbles().emit_dots(k, c, blocks, activations);
  for (auto& row : dots) {
    for (size_t m = 0; m < row.size(); ++m) {
      llvm::Value* offset = b.CreateMul(activations.sum(c.x[m]), b.getInt32(static_cast<uint32_t>(kOffset)));
      llvm::Value* steps = b.CreateMul(row[m], k.splat(b.getInt32(kStep), group_rows()));
      row[m] = b.CreateAdd(steps, k.splat(offset, group_rows()));
    }
  }
  return dots;
}

llvm::Value* HighPlane::emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                                     llvm::Value* j) const {
  auto& b = k.ir();
  llvm::Value* steps = b.CreateFMul(planes_.nibbles().emit_row(k, block, lane, j), k.splat(double{kStep}));
  return b.CreateFAdd(steps, k.splat(double{kOffset}));
}

}  // namespace lmc
