#include "codegen/layouts/scaled_blocks.h"

#include <cstring>

#include "codegen/layouts/unit_dots.h"

namespace lmc {

void ScaledBlocks::pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const {
  const BlockFormat& stored = format();
  const int64_t blocks = stored.blocks(cols);
  std::memset(out, 0, static_cast<size_t>(group_bytes(cols)));
  for (int64_t r = 0; r < count; ++r) {
    for (int64_t b = 0; b < blocks; ++b) {
      const std::byte* from = rows + r * stored.row_bytes(cols) + b * stored.bytes;
      std::byte* to = out + b * block_bytes();
      pack_numbers(from + 2, r, to);
      std::memcpy(to + number_bytes_ + r * 2, from, 2);
    }
  }
}

float ScaledBlocks::element(const std::byte* group, int64_t, int64_t row, int64_t col) const {
  const std::byte* block = group + col / kQ8Block * block_bytes();
  uint16_t scale;
  std::memcpy(&scale, block + number_bytes_ + row * 2, 2);
  return static_cast<float>(number(block, row, col % kQ8Block)) * f16_to_f32(scale);
}

// sums += (scale of w * scale of x) * whole dot product, in f32. What is missing of a block is zeros.
void ScaledBlocks::emit_block(KernelBuilder& k, const Contraction& c, llvm::Value* block, int64_t) const {
  auto& b = k.ir();
  const Activations activations(k, c.cols, block);
  llvm::Value* offset = c.ready ? nullptr : block_offset(k, block);
  std::vector<llvm::Value*> p;
  for (const GroupPlace& group : c.w) p.push_back(c.ready ? group.first : k.at(group.first, offset));
  const Dots dots = emit_whole_dots(k, c, block, p, activations);
  for (size_t i = 0; i < c.w.size(); ++i) {
    llvm::Value* w_scale = c.ready ? k.load(k.vector(b.getFloatTy(), rows_), k.at(p[i], ready_numbers()), 4)
                                   : group_scales(k, p[i]);
    for (size_t m = 0; m < c.x.size(); ++m) {
      llvm::Value* scale = b.CreateFMul(w_scale, k.splat(activations.scale(c.x[m]), rows_));
      k.add_product(c.sums[i][m], b.CreateSIToFP(dots[i][m], w_scale->getType()), scale);
    }
  }
}

// As emit_block() scales them.
void ScaledBlocks::emit_block_by_unit(KernelBuilder& k, const UnitContraction& c, llvm::Value* block) const {
  auto& b = k.ir();
  const Activations activations(k, c.cols, block);
  llvm::Value* offset = block_offset(k, block);
  std::vector<llvm::Value*> scales;
  for (const GroupPlace& group : c.w) scales.push_back(group_scales(k, k.at(group.first, offset)));
  for_unit_dots(k, c, [&](llvm::Value* x, const std::vector<UnitDots>& groups) {
    llvm::Value* x_scale = k.splat(activations.scale(x), rows_);
    for (size_t i = 0; i < groups.size(); ++i) {
      llvm::Value* scale = b.CreateFMul(scales[i], x_scale);
      k.add_product(groups[i].sum, b.CreateSIToFP(groups[i].dots, scale->getType()), scale);
    }
  });
}

int64_t ScaledBlocks::ready_bytes(const Target& target) const {
  return gains_by_ready(target) ? ready_numbers() + rows_ * 4 : 0;
}

void ScaledBlocks::emit_ready(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                              llvm::Value* out) const {
  llvm::Value* from = k.at(group.first, block_offset(k, block));
  emit_ready_numbers(k, from, out);
  k.store(group_scales(k, from), k.at(out, ready_numbers()), 4);
}

llvm::Value* ScaledBlocks::emit_row(KernelBuilder& k, llvm::Value* group, llvm::Value* lane, int64_t,
                                    llvm::Value* j) const {
  auto& b = k.ir();
  llvm::Value* block = k.at(group, k.mul(b.CreateLShr(j, 5), block_bytes()));
  llvm::Value* scale = k.load(b.getHalfTy(), k.at(block, k.add(k.i64(number_bytes_), k.mul(lane, 2))), 2);
  return b.CreateFMul(emit_numbers(k, block, lane, j), k.splat(b.CreateFPExt(scale, b.getFloatTy())));
}

}  // namespace lmc
