// q8_0.rows8: per block of 32 columns 8 runs of (8 rows × 4 columns) int8, then the 8 rows' f16 scales.
#include <cstring>

#include "codegen/layouts/activations.h"
#include "codegen/weight_layout.h"
#include "ir/block_format.h"

namespace lmc {
namespace {

using llvm::Value;

constexpr int64_t kBlockBytes = 8 * kQ8Block + 8 * 2;

class Q8 : public WeightLayout {
 public:
  std::string name() const override { return "q8_0.rows8"; }
  DType dtype() const override { return DType::q8_0; }
  int64_t group_bytes(int64_t cols) const override { return format().blocks(cols) * kBlockBytes; }

  void pack_group(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override {
    const int64_t blocks = format().blocks(cols);
    std::memset(out, 0, static_cast<size_t>(blocks * kBlockBytes));
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t b = 0; b < blocks; ++b) {
        const std::byte* from = rows + r * format().row_bytes(cols) + b * format().bytes;
        std::byte* to = out + b * kBlockBytes;
        for (int64_t quad = 0; quad < 8; ++quad) std::memcpy(to + quad * 32 + r * 4, from + 2 + quad * 4, 4);
        std::memcpy(to + 256 + r * 2, from, 2);
      }
    }
  }

  float element(const std::byte* group, int64_t, int64_t row, int64_t col) const override {
    const std::byte* block = group + col / kQ8Block * kBlockBytes;
    int8_t q;
    uint16_t scale;
    std::memcpy(&q, block + col % kQ8Block / 4 * 32 + row * 4 + col % 4, 1);
    std::memcpy(&scale, block + 256 + row * 2, 2);
    return static_cast<float>(q) * f16_to_f32(scale);
  }

  int64_t prefetch_bytes() const override { return kBlockBytes; }

  // Exact int8 dot products per block of 32, scaled by both scales in f32. The loop over quads stays a loop:
  // unrolled, LLVM reorders it token by token and spills the weights.
  void emit_dots(KernelBuilder& k, const Contraction& c) const override {
    auto& b = k.ir();
    llvm::Type* i8x32 = llvm::FixedVectorType::get(b.getInt8Ty(), 32);
    k.loop(k.i64(0), k.i64(format().blocks(c.cols)), 1, [&](Value* block) {
      const Activations activations(k, c.cols, block);
      Value* offset = k.mul(block, kBlockBytes);
      std::vector<Value*> p;
      for (Value* group : c.w) p.push_back(k.at(group, offset));
      c.prefetch(offset, kBlockBytes);
      std::vector<std::vector<Value*>> dots(c.w.size());
      for (auto& row : dots) {
        for (Value* x : c.x) {
          Value* sum = k.target().wants_block_sums() ? activations.sum(x) : nullptr;
          row.push_back(k.variable(k.target().start_int8(b, sum)));
        }
      }
      k.loop(k.i64(0), k.i64(8), 1, [&](Value* quad) {
        const auto weights = [&](size_t i) {
          return k.target().prepare_int8(b, k.load(i8x32, k.at(p[i], k.mul(quad, 32))));
        };
        const auto dot = [&](size_t i, size_t m, const Target::Prepared& w_quad, Value* x_quad) {
          k.set(dots[i][m], k.target().dot_int8(b, w_quad, x_quad, k.get(dots[i][m])));
        };
        // The fewer ones stay in registers while the others pass.
        if (c.x.size() < c.w.size()) {
          std::vector<Value*> xs;
          for (Value* x : c.x) xs.push_back(activations.repeated(x, quad));
          for (size_t i = 0; i < c.w.size(); ++i) {
            const Target::Prepared quads = weights(i);
            for (size_t m = 0; m < c.x.size(); ++m) dot(i, m, quads, xs[m]);
          }
        } else {
          std::vector<Target::Prepared> ws;
          for (size_t i = 0; i < c.w.size(); ++i) ws.push_back(weights(i));
          for (size_t m = 0; m < c.x.size(); ++m) {
            Value* quads = activations.repeated(c.x[m], quad);
            for (size_t i = 0; i < c.w.size(); ++i) dot(i, m, ws[i], quads);
          }
        }
      });
      llvm::Type* f16x8 = llvm::FixedVectorType::get(b.getHalfTy(), kLanes);
      for (size_t i = 0; i < c.w.size(); ++i) {
        Value* w_scale = k.widen(k.load(f16x8, k.at(p[i], 256), 2));
        for (size_t m = 0; m < c.x.size(); ++m) {
          Value* scale = b.CreateFMul(w_scale, k.splat(activations.scale(c.x[m])));
          Value* products = b.CreateSIToFP(k.get(dots[i][m]), k.f32x8());
          k.set(c.sums[i][m], k.fma(products, scale, k.get(c.sums[i][m])));
        }
      }
    });
  }

  Value* emit_row(KernelBuilder& k, Value* group, Value* lane, int64_t, Value* j) const override {
    auto& b = k.ir();
    Value* block = k.at(group, k.mul(b.CreateLShr(j, 5), kBlockBytes));
    Value* quad = b.CreateLShr(b.CreateAnd(j, k.i64(31)), 2);
    llvm::Type* i8x4 = llvm::FixedVectorType::get(b.getInt8Ty(), 4);
    Value* bytes = k.at(block, k.add(k.mul(quad, 32), k.mul(lane, 4)));
    Value* low = k.load(i8x4, bytes);
    Value* high = k.load(i8x4, k.at(bytes, 32));
    Value* q = b.CreateShuffleVector(low, high, {0, 1, 2, 3, 4, 5, 6, 7});
    Value* half = k.load(b.getHalfTy(), k.at(block, k.add(k.i64(256), k.mul(lane, 2))), 2);
    return b.CreateFMul(b.CreateSIToFP(q, k.f32x8()), k.splat(b.CreateFPExt(half, b.getFloatTy())));
  }

 private:
  static const BlockFormat& format() { return block_format(DType::q8_0); }
};

const Q8 kQ8;
const RegisterWeightLayout kLayout(kQ8);

}  // namespace
}  // namespace lmc
