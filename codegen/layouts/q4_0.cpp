// q4_0.rows8: per block of 32 columns 128 bytes of numbers (nibbles.h), then the 8 rows' f16 scales.
#include <cstring>

#include "codegen/layouts/nibbles.h"
#include "ir/block_format.h"

namespace lmc {
namespace {

using llvm::Value;

constexpr int64_t kBlockBytes = kNibbleBytes + 8 * 2;

class Q4 : public WeightLayout {
 public:
  std::string name() const override { return "q4_0.rows8"; }
  DType dtype() const override { return DType::q4_0; }
  int64_t group_bytes(int64_t cols) const override { return format().blocks(cols) * kBlockBytes; }

  void pack_group(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override {
    const int64_t blocks = format().blocks(cols);
    std::memset(out, 0, static_cast<size_t>(blocks * kBlockBytes));
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t b = 0; b < blocks; ++b) {
        const std::byte* from = rows + r * format().row_bytes(cols) + b * format().bytes;
        pack_nibbles(from + 2, r, out + b * kBlockBytes);
        std::memcpy(out + b * kBlockBytes + kNibbleBytes + r * 2, from, 2);
      }
    }
  }

  float element(const std::byte* group, int64_t, int64_t row, int64_t col) const override {
    const std::byte* block = group + col / kQ8Block * kBlockBytes;
    uint16_t scale;
    std::memcpy(&scale, block + kNibbleBytes + row * 2, 2);
    return static_cast<float>(unpack_nibble(block, row, col % kQ8Block) - 8) * f16_to_f32(scale);
  }

  int64_t prefetch_bytes() const override { return kBlockBytes; }

  // sum((q - 8) x) = sum(q x) - 8 sum(x), in whole numbers; then as in q8_0.rows8.
  void emit_dots(KernelBuilder& k, const Contraction& c) const override {
    auto& b = k.ir();
    k.loop(k.i64(0), k.i64(format().blocks(c.cols)), 1, [&](Value* block) {
      const Activations activations(k, c.cols, block);
      Value* offset = k.mul(block, kBlockBytes);
      std::vector<Value*> p;
      for (Value* group : c.w) p.push_back(k.at(group, offset));
      c.prefetch(offset, kBlockBytes);
      const auto dots = emit_nibble_dots(k, c, p, activations);
      llvm::Type* f16x8 = llvm::FixedVectorType::get(b.getHalfTy(), kLanes);
      for (size_t i = 0; i < c.w.size(); ++i) {
        Value* w_scale = k.widen(k.load(f16x8, k.at(p[i], kNibbleBytes), 2));
        for (size_t m = 0; m < c.x.size(); ++m) {
          Value* eights = b.CreateShl(activations.sum(c.x[m]), uint64_t{3});
          Value* products =
              b.CreateSIToFP(b.CreateSub(dots[i][m], b.CreateVectorSplat(kLanes, eights)), k.f32x8());
          Value* scale = b.CreateFMul(w_scale, k.splat(activations.scale(c.x[m])));
          k.set(c.sums[i][m], k.fma(products, scale, k.get(c.sums[i][m])));
        }
      }
    });
  }

  Value* emit_row(KernelBuilder& k, Value* group, Value* lane, int64_t, Value* j) const override {
    auto& b = k.ir();
    Value* block = k.at(group, k.mul(b.CreateLShr(j, 5), kBlockBytes));
    Value* half = k.load(b.getHalfTy(), k.at(block, k.add(k.i64(kNibbleBytes), k.mul(lane, 2))), 2);
    Value* q = b.CreateFSub(emit_nibble_row(k, block, lane, j), k.splat(8.0));
    return b.CreateFMul(q, k.splat(b.CreateFPExt(half, b.getFloatTy())));
  }

 private:
  static const BlockFormat& format() { return block_format(DType::q4_0); }
};

const Q4 kQ4;
const RegisterWeightLayout kLayout(kQ4);

}  // namespace
}  // namespace lmc
