#include "codegen/layouts/scaled_blocks.h"

#include <cstring>

namespace lmc {

void ScaledBlocks::pack_group(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const {
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

// Per block: sums += (scale of w * scale of x) * whole dot product, in f32.
void ScaledBlocks::emit_dots(KernelBuilder& k, const Contraction& c) const {
  auto& b = k.ir();
  k.loop(k.i64(0), k.i64(format().blocks(c.cols)), 1, [&](llvm::Value* block) {
    const Activations activations(k, c.cols, block);
    llvm::Value* offset = k.mul(block, block_bytes());
    std::vector<llvm::Value*> p;
    for (llvm::Value* group : c.w) p.push_back(k.at(group, offset));
    c.prefetch(offset, block_bytes());
    const Dots dots = emit_whole_dots(k, c, p, activations);
    for (size_t i = 0; i < c.w.size(); ++i) {
      llvm::Value* w_scale = k.widen(k.load(k.vector(b.getHalfTy(), rows_), k.at(p[i], number_bytes_), 2));
      for (size_t m = 0; m < c.x.size(); ++m) {
        llvm::Value* scale = b.CreateFMul(w_scale, k.splat(activations.scale(c.x[m]), rows_));
        llvm::Value* products = b.CreateSIToFP(dots[i][m], w_scale->getType());
        k.set(c.sums[i][m], k.fma(products, scale, k.get(c.sums[i][m])));
      }
    }
  });
}

llvm::Value* ScaledBlocks::emit_row(KernelBuilder& k, llvm::Value* group, llvm::Value* lane, int64_t,
                                    llvm::Value* j) const {
  auto& b = k.ir();
  llvm::Value* block = k.at(group, k.mul(b.CreateLShr(j, 5), block_bytes()));
  llvm::Value* scale = k.load(b.getHalfTy(), k.at(block, k.add(k.i64(number_bytes_), k.mul(lane, 2))), 2);
  return b.CreateFMul(emit_numbers(k, block, lane, j), k.splat(b.CreateFPExt(scale, b.getFloatTy())));
}

}  // namespace lmc
