// q6_k.rows8 and q6_k.rows16: for every 256 columns the rows' f16 d, then per block of 32 columns the numbers
// (more_bits.h), each 32 too large, the rows' int8 scales of columns 0 … 15, and those of the others. Where a
// row ends within 256 columns the blocks beyond are left out.
#include "ir/block_formats/q6_k.h"

#include <algorithm>
#include <cstring>

#include "codegen/layouts/more_bits.h"
#include "ir/block_format.h"

namespace lmc::layouts::q6_k {
namespace {

constexpr int64_t kBlocks = 8;  // of 256 columns
constexpr int kTooLarge = 32;
constexpr size_t kHalves = 2;  // of a block, with a scale each

int64_t blocks_of(int64_t cols) { return (cols + kQ8Block - 1) / kQ8Block; }
int64_t supers_of(int64_t cols) { return (blocks_of(cols) + kBlocks - 1) / kBlocks; }

class Q6K : public WeightLayout {
 public:
  explicit Q6K(int64_t rows) : rows_(rows), bits_(rows, 6) {}  // of a group

  std::string name() const override { return "q6_k.rows" + std::to_string(rows_); }
  DType dtype() const override { return *dtype_from_name("q6_k"); }
  int64_t group_rows() const override { return rows_; }
  int64_t group_bytes(int64_t cols) const override {
    return supers_of(cols) * head_bytes() + blocks_of(cols) * block_bytes();
  }

  void pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override {
    const BlockFormat& format = block_format(dtype());
    std::memset(out, 0, static_cast<size_t>(group_bytes(cols)));
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t s = 0; s < supers_of(cols); ++s) {
        const Q6KBlock from = Q6KBlock::load(rows + r * format.row_bytes(cols) + s * format.bytes);
        std::byte* to = out + s * super_bytes();
        std::memcpy(to + r * 2, &from.d, 2);
        const int64_t blocks = std::min(kBlocks, blocks_of(cols) - s * kBlocks);
        for (int64_t b = 0; b < blocks; ++b) pack_block(from, b, r, to + head_bytes() + b * block_bytes());
      }
    }
  }

  float element(const std::byte* group, int64_t, int64_t row, int64_t col) const override {
    const std::byte* super = group + col / 256 * super_bytes();
    const std::byte* block = super + head_bytes() + col % 256 / kQ8Block * block_bytes();
    uint16_t d;
    std::memcpy(&d, super + row * 2, 2);
    const auto scale = static_cast<int8_t>(block[scale_offset(col % kQ8Block / 16) + row]);
    const int number = bits_.unpack(block, row, col % kQ8Block) - kTooLarge;
    return f16_to_f32(d) * static_cast<float>(scale) * static_cast<float>(number);
  }

  llvm::Value* run_offset(KernelBuilder& k, int64_t cols, llvm::Value* number, size_t) const override {
    return k.mul(number, group_bytes(cols));
  }
  int64_t block_cols() const override { return kQ8Block; }
  int64_t block_bytes() const override { return bits_.bytes() + 2 * rows_; }
  llvm::Value* block_offset(KernelBuilder& k, llvm::Value* block) const override {
    return k.add(k.i64(head_bytes()), k.add(super_offset(k, block), part_offset(k, block)));
  }

  // sums += (d x_scale) * (scale_0 dot_0 + scale_1 dot_1), of which all but the first factor is whole: at
  // most 2 * 128 * 16 * 32 * 127 < 2^24, so that f32 has it exactly. There are two products for each sum, so
  // half as many as elsewhere are in registers at once.
  void emit_block(KernelBuilder& k, const Contraction& c, llvm::Value* block, int64_t) const override {
    const Activations activations(k, c.cols, block);
    std::vector<HalfSums> of_rows;
    for (llvm::Value* x : c.x) of_rows.push_back(half_sums(k, activations, x));
    const auto rows = static_cast<int64_t>(c.x.size()), groups = static_cast<int64_t>(c.w.size());
    const int64_t products = k.target().in_registers().products / 2;
    const int64_t high = std::min(rows, products), wide = std::clamp<int64_t>(products / high, 1, groups);
    for (int64_t i = 0; i < groups; i += wide) {
      for (int64_t m = 0; m < rows; m += high)
        emit_part(k, c, block, activations, of_rows, {i, std::min(i + wide, groups)},
                  {m, std::min(m + high, rows)});
    }
  }

  // A byte for each number, then d and the scales in f32.
  int64_t ready_bytes(const Target&) const override {
    return (ready_numbers() + 3 * rows_ * 4 + 63) / 64 * 64;
  }
  void emit_ready(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                  llvm::Value* out) const override {
    bits_.emit_ready(k, k.at(group.first, block_offset(k, block)), out);
    const Factors f = factors(k, group.first, block);
    k.store(f.d, k.at(out, ready_numbers()), 4);
    for (size_t half = 0; half < kHalves; ++half) k.store(f.scale[half], k.at(out, ready_scale(half)), 4);
  }

  llvm::Value* emit_row(KernelBuilder& k, llvm::Value* group, llvm::Value* lane, int64_t,
                        llvm::Value* j) const override {
    auto& b = k.ir();
    llvm::Value* number = b.CreateLShr(j, 5);
    llvm::Value* super = k.at(group, super_offset(k, number));
    llvm::Value* block = k.at(group, block_offset(k, number));
    llvm::Value* d = b.CreateFPExt(k.load(b.getHalfTy(), k.at(super, k.mul(lane, 2)), 2), b.getFloatTy());
    llvm::Value* half = b.CreateLShr(b.CreateAnd(j, k.i64(16)), 4);
    llvm::Value* at = k.add(k.add(k.i64(scale_offset(0)), k.mul(half, rows_)), lane);
    llvm::Value* scale = b.CreateSIToFP(k.load(b.getInt8Ty(), k.at(block, at)), b.getFloatTy());
    llvm::Value* numbers = b.CreateFSub(bits_.emit_row(k, block, lane, j), k.splat(kTooLarge));
    return b.CreateFMul(numbers, k.splat(b.CreateFMul(d, scale)));
  }

 private:
  void pack_block(const Q6KBlock& from, int64_t b, int64_t row, std::byte* block) const {
    MoreBits::Numbers q;
    for (size_t half = 0; half < kHalves; ++half) {
      const size_t part = static_cast<size_t>(b) * kHalves + half;
      std::copy(from.q[part].begin(), from.q[part].end(),
                q.begin() + static_cast<ptrdiff_t>(half * Q6KBlock::kPart));
      block[scale_offset(static_cast<int64_t>(half)) + row] = static_cast<std::byte>(from.scale[part]);
    }
    bits_.pack(q, row, block);
  }

  // What products begin with for being 32 too large: -32 times the sum of 16 activations.
  using HalfSums = std::array<llvm::Value*, kHalves>;  // i32
  static HalfSums half_sums(KernelBuilder& k, const Activations& activations, llvm::Value* x) {
    auto& b = k.ir();
    const Target& target = k.target();
    llvm::Value* ones = llvm::ConstantInt::get(k.vector(b.getInt8Ty(), 4 * kLanes), 1);
    llvm::Value* sums = target.start_uint4(b, kLanes);
    for (int64_t quad = 0; quad < kQ8Block / 2 / 4; ++quad)
      sums = target.dot_uint4(b, ones, activations.repeated(x, k.i64(quad), kLanes), sums);
    llvm::Value* first = b.CreateExtractElement(target.finish_uint4(b, sums), uint64_t{0});
    llvm::Value* second = b.CreateSub(activations.sum(x), first);
    const auto begun = [&](llvm::Value* sum) { return b.CreateNeg(b.CreateShl(sum, uint64_t{5})); };
    return {begun(first), begun(second)};
  }

  struct Range {
    int64_t from, to;
  };
  void emit_part(KernelBuilder& k, const Contraction& all, llvm::Value* block, const Activations& activations,
                 const std::vector<HalfSums>& of_rows, const Range& groups, const Range& rows) const {
    auto& b = k.ir();
    Contraction c;
    c.cols = all.cols;
    c.ready = all.ready;
    c.w.assign(all.w.begin() + groups.from, all.w.begin() + groups.to);
    c.x.assign(all.x.begin() + rows.from, all.x.begin() + rows.to);
    llvm::Value* offset = c.ready ? nullptr : block_offset(k, block);
    std::vector<llvm::Value*> p;
    for (const GroupPlace& group : c.w) p.push_back(c.ready ? group.first : k.at(group.first, offset));
    std::array<MoreBits::Sums, kHalves> dots;
    for (size_t half = 0; half < kHalves; ++half) {
      dots[half].resize(c.w.size());
      for (auto& row : dots[half]) {
        for (int64_t m = rows.from; m < rows.to; ++m)
          row.push_back(k.variable(k.splat(of_rows[static_cast<size_t>(m)][half], rows_)));
      }
    }
    bits_.emit_dots(k, c, p, activations, dots[0], dots[1]);
    for (size_t i = 0; i < c.w.size(); ++i) {
      const Factors f = c.ready ? ready_factors(k, p[i]) : factors(k, c.w[i].first, block);
      for (size_t m = 0; m < c.x.size(); ++m) {
        const auto dot = [&](size_t half) { return b.CreateSIToFP(k.get(dots[half][i][m]), f.d->getType()); };
        llvm::Value* whole = k.fma(f.scale[1], dot(1), b.CreateFMul(f.scale[0], dot(0)));
        llvm::Value* scale = b.CreateFMul(f.d, k.splat(activations.scale(c.x[m]), rows_));
        const auto sum = [](const Range& r, size_t n) { return static_cast<size_t>(r.from) + n; };
        k.add_product(all.sums[sum(groups, i)][sum(rows, m)], whole, scale);
      }
    }
  }

  struct Factors {
    llvm::Value* d;  // <rows x f32>
    std::array<llvm::Value*, kHalves> scale;
  };
  Factors factors(KernelBuilder& k, llvm::Value* group, llvm::Value* block) const {
    auto& b = k.ir();
    llvm::Type* floats = k.vector(b.getFloatTy(), rows_);
    llvm::Value* part = k.at(group, block_offset(k, block));
    const auto scale = [&](int64_t half) {
      return b.CreateSIToFP(k.load(k.vector(b.getInt8Ty(), rows_), k.at(part, scale_offset(half))), floats);
    };
    llvm::Value* head = k.at(group, super_offset(k, block));
    return {k.widen(k.load(k.vector(b.getHalfTy(), rows_), head, 2)), {scale(0), scale(1)}};
  }
  Factors ready_factors(KernelBuilder& k, llvm::Value* block) const {
    llvm::Type* floats = k.vector(k.ir().getFloatTy(), rows_);
    const auto at = [&](int64_t offset) { return k.load(floats, k.at(block, offset), 4); };
    return {at(ready_numbers()), {at(ready_scale(0)), at(ready_scale(1))}};
  }
  int64_t ready_numbers() const { return kQ8Block * rows_; }  // bytes
  int64_t ready_scale(size_t half) const {
    return ready_numbers() + static_cast<int64_t>(1 + half) * rows_ * 4;
  }

  // From the start of the 256 columns, and from that of a block of 32.
  int64_t head_bytes() const { return rows_ * 2; }
  int64_t super_bytes() const { return head_bytes() + kBlocks * block_bytes(); }
  int64_t scale_offset(int64_t half) const { return bits_.bytes() + half * rows_; }
  llvm::Value* super_offset(KernelBuilder& k, llvm::Value* block) const {
    return k.mul(k.ir().CreateUDiv(block, k.i64(kBlocks)), super_bytes());
  }
  llvm::Value* part_offset(KernelBuilder& k, llvm::Value* block) const {
    return k.mul(k.ir().CreateURem(block, k.i64(kBlocks)), block_bytes());
  }

  int64_t rows_;
  MoreBits bits_;
};

const Q6K kRows8(8);
const Q6K kRows16(16);
const RegisterWeightLayout kLayout8(kRows8);
const RegisterWeightLayout kLayout16(kRows16);

}  // namespace
}  // namespace lmc::layouts::q6_k
