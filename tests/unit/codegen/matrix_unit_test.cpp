// What a target with a matrix unit does, on a CPU that has none: avx2 with a unit that is written in vectors.
// So blocks, rows left over and results to be rounded are tested everywhere; the unit's own instructions
// where there is one, by every test that runs on all targets here.
#include <gtest/gtest.h>
#include <llvm/IR/IRBuilder.h>

#include "agreement.h"
#include "codegen/target.h"
#include "codegen/weight_layout.h"
#include "compiled_model.h"
#include "golden_folder.h"

namespace lmc {
namespace {

using llvm::Value;

class VectorsAsUnit : public MatrixUnit {
 public:
  void begin(llvm::IRBuilderBase&) const override {}
  void end(llvm::IRBuilderBase&) const override {}
  void dot(llvm::IRBuilderBase& b, Value* activations, Value* apart, Value* weights,
           Value* out) const override {
    const auto at = [&](Value* base, Value* bytes) { return b.CreateGEP(b.getInt8Ty(), base, bytes); };
    llvm::Type* bytes = llvm::FixedVectorType::get(b.getInt8Ty(), kRows);
    llvm::Type* sums = llvm::FixedVectorType::get(b.getInt32Ty(), kRows);
    for (int64_t token = 0; token < kTokens; ++token) {
      Value* row = at(activations, b.CreateMul(apart, b.getInt64(static_cast<uint64_t>(token))));
      Value* sum = llvm::Constant::getNullValue(sums);
      for (uint64_t k = 0; k < 32; ++k) {
        Value* w = llvm::PoisonValue::get(bytes);
        for (uint64_t r = 0; r < kRows; ++r) {
          Value* number = b.CreateAlignedLoad(
              b.getInt8Ty(), at(weights, b.getInt64(k / 4 * 64 + r * 4 + k % 4)), llvm::Align(1));
          w = b.CreateInsertElement(w, number, r);
        }
        Value* x = b.CreateAlignedLoad(b.getInt8Ty(), at(row, b.getInt64(k)), llvm::Align(1));
        Value* xs = b.CreateVectorSplat(kRows, b.CreateSExt(x, b.getInt32Ty()));
        sum = b.CreateAdd(sum, b.CreateMul(b.CreateSExt(w, sums), xs));
      }
      b.CreateAlignedStore(sum, at(out, b.getInt64(static_cast<uint64_t>(token * kRows * 4))),
                           llvm::Align(64));
    }
  }
};

// avx2, but for the unit and the layout that it wants.
class Emulated : public Target {
 public:
  std::string name() const override { return "emulated-unit"; }
  std::string cpu() const override { return base().cpu(); }
  std::string features() const override { return base().features(); }
  std::string triple() const override { return base().triple(); }
  bool supported_here() const override { return false; }  // only those who name it take it
  int preference() const override { return -1; }
  const WeightLayout& layout(DType format, int64_t rows, int64_t cols) const override {
    return format == DType::q8_0 && rows % 32 != 16 ? widest_layout(format, 16)
                                                    : base().layout(format, rows, cols);
  }
  Prepared prepare_int8(llvm::IRBuilderBase& b, Value* weights) const override {
    return base().prepare_int8(b, weights);
  }
  Value* dot_int8(llvm::IRBuilderBase& b, const Prepared& w, Value* x, Value* sums) const override {
    return base().dot_int8(b, w, x, sums);
  }
  Value* start_int8(llvm::IRBuilderBase& b, Value* sum, int64_t lanes) const override {
    return base().start_int8(b, sum, lanes);
  }
  Value* start_uint4(llvm::IRBuilderBase& b, int64_t lanes) const override {
    return base().start_uint4(b, lanes);
  }
  Value* dot_uint4(llvm::IRBuilderBase& b, Value* w, Value* x, Value* sums) const override {
    return base().dot_uint4(b, w, x, sums);
  }
  Value* finish_uint4(llvm::IRBuilderBase& b, Value* sums) const override {
    return base().finish_uint4(b, sums);
  }
  const MatrixUnit* matrix_unit() const override { return &unit_; }

 private:
  static const Target& base() { return find_target("avx2"); }
  VectorsAsUnit unit_;
};

const Emulated kEmulated;
const RegisterTarget kRegister(kEmulated);

// 95 tokens are steps of 48 and 47: blocks of 16, then 8, 4, 2 and 1.
TEST(MatrixUnit, linear_of_any_shape_agrees) {
  for (auto [k, n] : {std::pair<int64_t, int64_t>{1, 1}, {33, 9}, {96, 70}, {64, 416}}) {
    const std::string w =
        "  weight @w : bf16[" + num(n) + "," + num(k) + "]\n  weight @b : f32[" + num(n) + "]\n";
    const std::string body = "  %q = quantize(%x)\n  %qw = quantize(@w)\n  %y = linear(%q, %qw, @b)\n";
    expect_agreement(model(k, w, body), 95, 1e-5, "emulated-unit");
  }
}

TEST(MatrixUnit, halves_that_are_rounded_as_they_come_agree) {
  const std::string body =
      "  %u = concat(@gate, @up) {axis=0}\n  %uq = quantize(%u)\n  %d = quantize(@down)\n  %xq = "
      "quantize(%x)\n"
      "  %m = group(%xq, %uq) {name=up} : q8_0[T,160] {\n    inputs (%x: q8_0[T,72], %w: q8_0[320,72])\n"
      "    %h = linear(%x, %w)\n    %a, %b = split(%h) {sizes=[160,160]}\n    %s = silu(%a)\n"
      "    %p = mul(%s, %b)\n    %q = quantize(%p)\n    return %q\n  }\n  %y = linear(%m, %d)\n";
  const std::string weights =
      "  weight @gate : f32[160,72]\n  weight @up : f32[160,72]\n  weight @down : f32[51,160]\n";
  expect_agreement(model(72, weights, body), 47, 1e-4, "emulated-unit");
}

TEST(MatrixUnit, golden_logits_have_the_bits_of_other_targets) {
  const std::vector<int32_t> ids{5, 1, 9, 3, 7, 2, 8, 6, 4, 11, 10, 13, 12, 15, 14, 17, 16, 19, 18};
  std::vector<std::vector<float>> logits;
  for (const char* target : {"avx2", "emulated-unit"}) {
    Model m = load_model(golden_folder() + "/gemma3-a", {});
    logits.push_back(compile(m, "q8_0", 1, target).logits(ids, 1, 0, "in-order"));
  }
  EXPECT_EQ(logits[0], logits[1]);
}

}  // namespace
}  // namespace lmc
