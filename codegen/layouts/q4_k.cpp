// q4_k.rows8 and q4_k.rows16: for every 256 columns the rows' f16 d and the rows' f16 dmin, then per block of
// 32 columns the numbers (nibbles.h), the rows' scales and the rows' minima, a byte each. Where a row ends
// within 256 columns the blocks beyond are left out.
#include "ir/block_formats/q4_k.h"

#include <cstring>

#include "codegen/layouts/nibbles.h"
#include "ir/block_format.h"

namespace lmc::layouts::q4_k {
namespace {

constexpr int64_t kParts = Q4KBlock::kParts;

int64_t blocks_of(int64_t cols) { return (cols + kQ8Block - 1) / kQ8Block; }
int64_t supers_of(int64_t cols) { return (blocks_of(cols) + kParts - 1) / kParts; }

class Q4K : public WeightLayout {
 public:
  explicit Q4K(int64_t rows) : rows_(rows), nibbles_(rows) {}  // of a group

  std::string name() const override { return "q4_k.rows" + std::to_string(rows_); }
  DType dtype() const override { return *dtype_from_name("q4_k"); }
  int64_t group_rows() const override { return rows_; }
  int64_t group_bytes(int64_t cols) const override {
    return supers_of(cols) * head_bytes() + blocks_of(cols) * block_bytes();
  }

  void pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override {
    const BlockFormat& format = block_format(dtype());
    std::memset(out, 0, static_cast<size_t>(group_bytes(cols)));
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t s = 0; s < supers_of(cols); ++s) {
        const Q4KBlock from = Q4KBlock::load(rows + r * format.row_bytes(cols) + s * format.bytes);
        std::byte* to = out + s * super_bytes();
        std::memcpy(to + r * 2, &from.d, 2);
        std::memcpy(to + rows_ * 2 + r * 2, &from.dmin, 2);
        const int64_t parts = std::min(kParts, blocks_of(cols) - s * kParts);
        for (int64_t part = 0; part < parts; ++part)
          pack_part(from, static_cast<size_t>(part), r, to + head_bytes() + part * block_bytes());
      }
    }
  }

  float element(const std::byte* group, int64_t, int64_t row, int64_t col) const override {
    const std::byte* super = group + col / 256 * super_bytes();
    const std::byte* block = super + head_bytes() + col % 256 / kQ8Block * block_bytes();
    uint16_t d;
    uint16_t dmin;
    std::memcpy(&d, super + row * 2, 2);
    std::memcpy(&dmin, super + rows_ * 2 + row * 2, 2);
    const float scale = f16_to_f32(d) * static_cast<float>(std::to_integer<int>(block[scale_offset() + row]));
    const float min = f16_to_f32(dmin) * static_cast<float>(std::to_integer<int>(block[min_offset() + row]));
    return scale * static_cast<float>(nibbles_.unpack(block, row, col % kQ8Block)) - min;
  }

  llvm::Value* run_offset(KernelBuilder& k, int64_t cols, llvm::Value* number, size_t) const override {
    return k.mul(number, group_bytes(cols));
  }
  int64_t block_cols() const override { return kQ8Block; }
  int64_t block_bytes() const override { return nibbles_.bytes() + 2 * rows_; }
  llvm::Value* block_offset(KernelBuilder& k, llvm::Value* block) const override {
    return k.add(k.i64(head_bytes()), k.add(super_offset(k, block), part_offset(k, block)));
  }

  // sums += x_scale * (d scale sum(q x) - dmin min sum(x)).
  void emit_block(KernelBuilder& k, const Contraction& c, llvm::Value* block, int64_t) const override {
    auto& b = k.ir();
    const Activations activations(k, c.cols, block);
    llvm::Value* offset = c.ready ? nullptr : block_offset(k, block);
    std::vector<llvm::Value*> p;
    for (const GroupPlace& group : c.w) p.push_back(c.ready ? group.first : k.at(group.first, offset));
    const auto dots = nibbles_.emit_dots(k, c, p, activations);
    for (size_t i = 0; i < c.w.size(); ++i) {
      const auto [scale, min] = c.ready ? ready_factors(k, p[i]) : factors(k, c.w[i].first, block);
      for (size_t m = 0; m < c.x.size(); ++m) {
        llvm::Value* sum = k.splat(b.CreateSIToFP(activations.sum(c.x[m]), b.getFloatTy()), rows_);
        llvm::Value* products = b.CreateSIToFP(dots[i][m], sum->getType());
        llvm::Value* of_block = k.fma(scale, products, b.CreateFMul(min, sum));
        k.add_product(c.sums[i][m], of_block, k.splat(activations.scale(c.x[m]), rows_));
      }
    }
  }

  // A byte for each number, then the factors in f32.
  int64_t ready_bytes(const Target&) const override { return ready_numbers() + 2 * rows_ * 4; }
  void emit_ready(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                  llvm::Value* out) const override {
    nibbles_.emit_ready(k, k.at(group.first, block_offset(k, block)), out);
    const Factors f = factors(k, group.first, block);
    k.store(f.scale, k.at(out, ready_numbers()), 4);
    k.store(f.min, k.at(out, ready_numbers() + rows_ * 4), 4);
  }

  llvm::Value* emit_row(KernelBuilder& k, llvm::Value* group, llvm::Value* lane, int64_t,
                        llvm::Value* j) const override {
    auto& b = k.ir();
    llvm::Value* number = b.CreateLShr(j, 5);
    llvm::Value* super = k.at(group, super_offset(k, number));
    llvm::Value* block = k.at(group, block_offset(k, number));
    const auto half = [&](int64_t offset) {
      llvm::Value* h = k.load(b.getHalfTy(), k.at(super, k.add(k.i64(offset), k.mul(lane, 2))), 2);
      return b.CreateFPExt(h, b.getFloatTy());
    };
    const auto byte = [&](int64_t offset) {
      return b.CreateUIToFP(k.load(b.getInt8Ty(), k.at(block, k.add(k.i64(offset), lane))), b.getFloatTy());
    };
    llvm::Value* scale = b.CreateFMul(half(0), byte(scale_offset()));
    llvm::Value* min = b.CreateFMul(half(rows_ * 2), byte(min_offset()));
    return b.CreateFSub(b.CreateFMul(nibbles_.emit_row(k, block, lane, j), k.splat(scale)), k.splat(min));
  }

 private:
  void pack_part(const Q4KBlock& from, size_t part, int64_t row, std::byte* block) const {
    std::byte q[16];
    for (size_t i = 0; i < 16; ++i)
      q[i] = static_cast<std::byte>(from.q[part][i] | from.q[part][i + 16] << 4);
    nibbles_.pack(q, row, block);
    block[scale_offset() + row] = static_cast<std::byte>(from.scale[part]);
    block[min_offset() + row] = static_cast<std::byte>(from.min[part]);
  }

  // Of a block: what its whole dot products count, d scale, and what its activations' sums do, - dmin min.
  struct Factors {
    llvm::Value *scale, *min;  // <rows x f32>
  };
  Factors factors(KernelBuilder& k, llvm::Value* group, llvm::Value* block) const {
    auto& b = k.ir();
    llvm::Type* halves = k.vector(b.getHalfTy(), rows_);
    llvm::Value* head = k.at(group, super_offset(k, block));
    llvm::Value* part = k.at(group, block_offset(k, block));
    llvm::Value* d = k.widen(k.load(halves, head, 2));
    llvm::Value* dmin = k.widen(k.load(halves, k.at(head, rows_ * 2), 2));
    return {b.CreateFMul(d, bytes(k, k.at(part, scale_offset()))),
            b.CreateFNeg(b.CreateFMul(dmin, bytes(k, k.at(part, min_offset()))))};
  }
  Factors ready_factors(KernelBuilder& k, llvm::Value* block) const {
    llvm::Type* floats = k.vector(k.ir().getFloatTy(), rows_);
    return {k.load(floats, k.at(block, ready_numbers()), 4),
            k.load(floats, k.at(block, ready_numbers() + rows_ * 4), 4)};
  }
  int64_t ready_numbers() const { return kQ8Block * rows_; }  // bytes

  // One of each row as f32.
  llvm::Value* bytes(KernelBuilder& k, llvm::Value* address) const {
    auto& b = k.ir();
    return b.CreateUIToFP(k.load(k.vector(b.getInt8Ty(), rows_), address), k.vector(b.getFloatTy(), rows_));
  }

  // From the start of the 256 columns, and from that of a block of 32.
  int64_t head_bytes() const { return 2 * rows_ * 2; }
  int64_t super_bytes() const { return head_bytes() + kParts * block_bytes(); }
  int64_t scale_offset() const { return nibbles_.bytes(); }
  int64_t min_offset() const { return scale_offset() + rows_; }
  llvm::Value* super_offset(KernelBuilder& k, llvm::Value* block) const {
    return k.mul(k.ir().CreateUDiv(block, k.i64(kParts)), super_bytes());
  }
  llvm::Value* part_offset(KernelBuilder& k, llvm::Value* block) const {
    return k.mul(k.ir().CreateURem(block, k.i64(kParts)), block_bytes());
  }

  int64_t rows_;
  Nibbles nibbles_;
};

const Q4K kRows8(8);
const Q4K kRows16(16);
const RegisterWeightLayout kLayout8(kRows8);
const RegisterWeightLayout kLayout16(kRows16);

}  // namespace
}  // namespace lmc::layouts::q4_k
