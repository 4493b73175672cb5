// q4_k.rows8: for every 256 columns the 8 rows' f16 d and the 8 rows' f16 dmin, then per block of 32 columns
// 128 bytes of numbers (nibbles.h), the 8 rows' scales and the 8 rows' minima, a byte each. Where a row ends
// within 256 columns the blocks beyond are left out.
#include "ir/block_formats/q4_k.h"

#include <cstring>

#include "codegen/layouts/nibbles.h"
#include "ir/block_format.h"

namespace lmc {
namespace {

using llvm::Value;

constexpr int64_t kHeadBytes = 2 * 8 * 2;
constexpr int64_t kScaleOffset = kNibbleBytes;
constexpr int64_t kMinOffset = kScaleOffset + 8;
constexpr int64_t kBlockBytes = kMinOffset + 8;
constexpr int64_t kParts = Q4KBlock::kParts;
constexpr int64_t kSuperBytes = kHeadBytes + kParts * kBlockBytes;

int64_t blocks_of(int64_t cols) { return (cols + kQ8Block - 1) / kQ8Block; }
int64_t supers_of(int64_t cols) { return (blocks_of(cols) + kParts - 1) / kParts; }

class Q4K : public WeightLayout {
 public:
  std::string name() const override { return "q4_k.rows8"; }
  DType dtype() const override { return *dtype_from_name("q4_k"); }
  int64_t group_rows() const override { return 8; }
  int64_t group_bytes(int64_t cols) const override {
    return supers_of(cols) * kHeadBytes + blocks_of(cols) * kBlockBytes;
  }

  void pack_group(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override {
    const BlockFormat& format = block_format(dtype());
    std::memset(out, 0, static_cast<size_t>(group_bytes(cols)));
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t s = 0; s < supers_of(cols); ++s) {
        const Q4KBlock from = Q4KBlock::load(rows + r * format.row_bytes(cols) + s * format.bytes);
        std::byte* to = out + s * kSuperBytes;
        std::memcpy(to + r * 2, &from.d, 2);
        std::memcpy(to + 16 + r * 2, &from.dmin, 2);
        const int64_t parts = std::min(kParts, blocks_of(cols) - s * kParts);
        for (int64_t part = 0; part < parts; ++part)
          pack_part(from, static_cast<size_t>(part), r, to + kHeadBytes + part * kBlockBytes);
      }
    }
  }

  float element(const std::byte* group, int64_t, int64_t row, int64_t col) const override {
    const std::byte* super = group + col / 256 * kSuperBytes;
    const std::byte* block = super + kHeadBytes + col % 256 / kQ8Block * kBlockBytes;
    uint16_t d;
    uint16_t dmin;
    std::memcpy(&d, super + row * 2, 2);
    std::memcpy(&dmin, super + 16 + row * 2, 2);
    const float scale = f16_to_f32(d) * static_cast<float>(std::to_integer<int>(block[kScaleOffset + row]));
    const float min = f16_to_f32(dmin) * static_cast<float>(std::to_integer<int>(block[kMinOffset + row]));
    return scale * static_cast<float>(unpack_nibble(block, row, col % kQ8Block)) - min;
  }

  int64_t prefetch_bytes() const override { return kBlockBytes; }

  // Per block: sums += x_scale * (d scale sum(q x) - dmin min sum(x)).
  void emit_dots(KernelBuilder& k, const Contraction& c) const override {
    auto& b = k.ir();
    llvm::Type* f16x8 = llvm::FixedVectorType::get(b.getHalfTy(), kLanes);
    k.loop(k.i64(0), k.i64(supers_of(c.cols)), 1, [&](Value* super) {
      Value* start = k.mul(super, kSuperBytes);
      std::vector<Value*> d;
      std::vector<Value*> dmin;
      for (Value* group : c.w) {
        d.push_back(k.widen(k.load(f16x8, k.at(group, start), 2)));
        dmin.push_back(k.widen(k.load(f16x8, k.at(k.at(group, start), 16), 2)));
      }
      Value* first = k.mul(super, kParts);
      Value* parts = blocks_of(c.cols) % kParts == 0
                         ? k.i64(kParts)
                         : k.min(k.i64(kParts), b.CreateSub(k.i64(blocks_of(c.cols)), first));
      k.loop(k.i64(0), parts, 1, [&](Value* part) {
        const Activations activations(k, c.cols, k.add(first, part));
        Value* offset = k.add(start, k.mul(part, kBlockBytes));
        c.prefetch(offset, kBlockBytes);
        std::vector<Value*> p;
        for (Value* group : c.w) p.push_back(k.at(k.at(group, offset), kHeadBytes));
        const auto dots = emit_nibble_dots(k, c, p, activations);
        for (size_t i = 0; i < c.w.size(); ++i) {
          Value* scale = b.CreateFMul(d[i], bytes(k, k.at(p[i], kScaleOffset)));
          Value* min = b.CreateFNeg(b.CreateFMul(dmin[i], bytes(k, k.at(p[i], kMinOffset))));
          for (size_t m = 0; m < c.x.size(); ++m) {
            Value* sum = k.splat(b.CreateSIToFP(activations.sum(c.x[m]), b.getFloatTy()));
            Value* products = b.CreateSIToFP(dots[i][m], k.f32x8());
            Value* block = k.fma(scale, products, b.CreateFMul(min, sum));
            k.set(c.sums[i][m], k.fma(block, k.splat(activations.scale(c.x[m])), k.get(c.sums[i][m])));
          }
        }
      });
    });
  }

  Value* emit_row(KernelBuilder& k, Value* group, Value* lane, int64_t, Value* j) const override {
    auto& b = k.ir();
    Value* super = k.at(group, k.mul(b.CreateLShr(j, 8), kSuperBytes));
    Value* part = b.CreateAnd(b.CreateLShr(j, 5), k.i64(kParts - 1));
    Value* block = k.at(super, k.add(k.i64(kHeadBytes), k.mul(part, kBlockBytes)));
    const auto half = [&](int64_t offset) {
      Value* h = k.load(b.getHalfTy(), k.at(super, k.add(k.i64(offset), k.mul(lane, 2))), 2);
      return b.CreateFPExt(h, b.getFloatTy());
    };
    const auto byte = [&](int64_t offset) {
      return b.CreateUIToFP(k.load(b.getInt8Ty(), k.at(block, k.add(k.i64(offset), lane))), b.getFloatTy());
    };
    Value* scale = b.CreateFMul(half(0), byte(kScaleOffset));
    Value* min = b.CreateFMul(half(16), byte(kMinOffset));
    return b.CreateFSub(b.CreateFMul(emit_nibble_row(k, block, lane, j), k.splat(scale)), k.splat(min));
  }

 private:
  static void pack_part(const Q4KBlock& from, size_t part, int64_t row, std::byte* block) {
    std::byte q[16];
    for (size_t i = 0; i < 16; ++i)
      q[i] = static_cast<std::byte>(from.q[part][i] | from.q[part][i + 16] << 4);
    pack_nibbles(q, row, block);
    block[kScaleOffset + row] = static_cast<std::byte>(from.scale[part]);
    block[kMinOffset + row] = static_cast<std::byte>(from.min[part]);
  }

  // 8 of them as f32.
  static Value* bytes(KernelBuilder& k, Value* address) {
    llvm::Type* i8x8 = llvm::FixedVectorType::get(k.ir().getInt8Ty(), kLanes);
    return k.ir().CreateUIToFP(k.load(i8x8, address), k.f32x8());
  }
};

const Q4K kQ4K;
const RegisterWeightLayout kLayout(kQ4K);

}  // namespace
}  // namespace lmc
