// f32.rows8, f16.rows8 and bf16.rows8: per column the numbers of 8 rows, widened to f32 where they are used.
#include <cstring>

#include "codegen/kernels/builder.h"
#include "codegen/weight_layout.h"
#include "ir/block_format.h"

namespace lmc::layouts::floats {
namespace {

class Floats : public WeightLayout {
 public:
  explicit Floats(DType dtype) : dtype_(dtype), bytes_(block_format(dtype).bytes) {}

  std::string name() const override { return std::string(dtype_name(dtype_)) + ".rows8"; }
  DType dtype() const override { return dtype_; }
  int64_t group_rows() const override { return 8; }
  int64_t group_bytes(int64_t cols) const override { return cols * 8 * bytes_; }

  void pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override {
    std::memset(out, 0, static_cast<size_t>(group_bytes(cols)));
    for (int64_t r = 0; r < count; ++r) {
      const std::byte* from = rows + r * cols * bytes_;
      if (bytes_ == 4) {
        spread<4>(from, cols, out + r * 4);
      } else {
        spread<2>(from, cols, out + r * 2);
      }
    }
  }

  float element(const std::byte* group, int64_t, int64_t row, int64_t col) const override {
    float f;
    decode_row(block_format(dtype_), group + (col * 8 + row) * bytes_, 1, &f);
    return f;
  }

  llvm::Value* run_offset(KernelBuilder& k, int64_t cols, llvm::Value* number, size_t) const override {
    return k.mul(number, group_bytes(cols));
  }
  int64_t block_cols() const override { return kUnroll; }
  int64_t block_bytes() const override { return kUnroll * 8 * bytes_; }
  llvm::Value* block_offset(KernelBuilder& k, llvm::Value* block) const override {
    return k.mul(block, block_bytes());
  }

  void emit_block(KernelBuilder& k, const Contraction& c, llvm::Value* block, int64_t count) const override {
    for (int64_t u = 0; u < count; ++u) {
      llvm::Value* column = k.add(k.mul(block, kUnroll), k.i64(u));
      for (size_t m = 0; m < c.x.size(); ++m) {
        llvm::Value* x = k.splat(k.load(k.ir().getFloatTy(), k.at(c.x[m], k.mul(column, 4)), 4));
        for (size_t i = 0; i < c.w.size(); ++i)
          k.add_product(c.sums[i][m], load_lanes(k, k.at(c.w[i].first, k.mul(column, 8 * bytes_))), x);
      }
    }
  }

  // Elements of one row are 8 numbers apart.
  llvm::Value* emit_row(KernelBuilder& k, llvm::Value* group, llvm::Value* lane, int64_t cols,
                        llvm::Value* j) const override {
    auto& b = k.ir();
    llvm::Type* stored = stored_type(k);
    llvm::Value* row = k.at(group, k.mul(lane, bytes_));
    llvm::Value* y = llvm::Constant::getNullValue(llvm::FixedVectorType::get(stored, kLanes));
    for (int64_t i = 0; i < kLanes; ++i) {
      // The last vector of a row may reach past it; the row's first element is as good as any there.
      llvm::Value* column = k.add(j, k.i64(i));
      column = b.CreateSelect(b.CreateICmpSLT(column, k.i64(cols)), column, k.i64(0));
      y = b.CreateInsertElement(y, k.load(stored, k.at(row, k.mul(column, 8 * bytes_)), bytes_), k.i64(i));
    }
    return k.widen(y);
  }

 private:
  static constexpr int64_t kUnroll = 4;  // columns

  // Numbers that stand side by side to 8 numbers apart.
  template <size_t bytes>
  static void spread(const std::byte* from, int64_t count, std::byte* out) {
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(out + i * int64_t{8 * bytes}, from + i * int64_t{bytes}, bytes);
  }

  llvm::Type* stored_type(KernelBuilder& k) const {
    if (dtype_ == DType::bf16) return k.ir().getInt16Ty();
    return dtype_ == DType::f32 ? k.ir().getFloatTy() : k.ir().getHalfTy();
  }

  llvm::Value* load_lanes(KernelBuilder& k, llvm::Value* address) const {
    return k.widen(k.load(llvm::FixedVectorType::get(stored_type(k), kLanes), address, bytes_));
  }

  DType dtype_;
  int64_t bytes_;  // of a number
};

const Floats kF32(DType::f32);
const Floats kF16(DType::f16);
const Floats kBf16(DType::bf16);
const RegisterWeightLayout kLayouts[] = {RegisterWeightLayout(kF32), RegisterWeightLayout(kF16),
                                         RegisterWeightLayout(kBf16)};

}  // namespace
}  // namespace lmc::layouts::floats
