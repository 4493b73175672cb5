// AVX2, FMA and F16C: the base of all targets.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsX86.h>

#include "codegen/halves.h"
#include "codegen/target.h"
#include "codegen/targets/x86.h"
#include "codegen/weight_layout.h"

namespace lmc::targets::avx2 {
namespace {

constexpr int64_t kLanes = 8;  // of 32 bits

class Avx2 : public Target {
 public:
  std::string name() const override { return "avx2"; }
  std::string cpu() const override { return "haswell"; }
  std::string features() const override { return "+avx2,+fma,+f16c,-avx512f"; }
  std::string triple() const override { return kX86Triple; }
  int preference() const override { return 0; }
  bool supported_here() const override {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  }
  const WeightLayout& layout(DType format, int64_t, int64_t) const override {
    return widest_layout(format, kLanes);
  }

  // vpmaddubsw wants one unsigned side: |w| as u8 (so -128 becomes 128) times x carrying w's sign. The pair
  // sums stay below 2 * 128 * 127 = 32512 and never saturate i16.
  Prepared prepare_int8(llvm::IRBuilderBase& b, llvm::Value* weights) const override {
    return {weights, b.CreateBinaryIntrinsic(llvm::Intrinsic::abs, weights, b.getFalse())};
  }

  llvm::Value* dot_int8(llvm::IRBuilderBase& b, const Prepared& w, llvm::Value* activations,
                        llvm::Value* sums) const override {
    if (lanes_of(sums) > kLanes) {
      const Prepared low{low_half(b, w.weights), low_half(b, w.as_unsigned)};
      const Prepared high{high_half(b, w.weights), high_half(b, w.as_unsigned)};
      return joined(b, dot_int8(b, low, low_half(b, activations), low_half(b, sums)),
                    dot_int8(b, high, high_half(b, activations), high_half(b, sums)));
    }
    llvm::Value* signed_x =
        b.CreateIntrinsic(llvm::Intrinsic::x86_avx2_psign_b, {}, {activations, w.weights});
    llvm::Value* pairs = products(b, w.as_unsigned, signed_x);
    return b.CreateAdd(sums, add_pairs(b, pairs));
  }

  llvm::Value* start_int8(llvm::IRBuilderBase& b, llvm::Value*, int64_t lanes) const override {
    return zeros(b.getInt32Ty(), lanes);
  }

  // Pairs of products are at most 2 * 15 * 127; 8 of them, 30480, still fit into i16.
  llvm::Value* start_uint4(llvm::IRBuilderBase& b, int64_t lanes) const override {
    return zeros(b.getInt16Ty(), 2 * lanes);
  }
  llvm::Value* dot_uint4(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                         llvm::Value* sums) const override {
    if (lanes_of(sums) > 2 * kLanes) {
      return joined(b, dot_uint4(b, low_half(b, weights), low_half(b, activations), low_half(b, sums)),
                    dot_uint4(b, high_half(b, weights), high_half(b, activations), high_half(b, sums)));
    }
    return b.CreateAdd(sums, products(b, weights, activations));
  }
  llvm::Value* finish_uint4(llvm::IRBuilderBase& b, llvm::Value* sums) const override {
    if (lanes_of(sums) > 2 * kLanes)
      return joined(b, finish_uint4(b, low_half(b, sums)), finish_uint4(b, high_half(b, sums)));
    return add_pairs(b, sums);
  }

  // Two pairs of products are at most 4 * 63 * 127 = 32004.
  llvm::Value* dot_uint6(llvm::IRBuilderBase& b, const TwoSteps& weights, const TwoSteps& activations,
                         llvm::Value* sums) const override {
    if (lanes_of(sums) > kLanes) {
      const auto half = [&](const TwoSteps& of, const auto& part) {
        return TwoSteps{part(b, of.first), part(b, of.second)};
      };
      return joined(b, dot_uint6(b, half(weights, low_half), half(activations, low_half), low_half(b, sums)),
                    dot_uint6(b, half(weights, high_half), half(activations, high_half), high_half(b, sums)));
    }
    llvm::Value* pairs = b.CreateAdd(products(b, weights.first, activations.first),
                                     products(b, weights.second, activations.second));
    return b.CreateAdd(sums, add_pairs(b, pairs));
  }

 private:
  static llvm::Value* zeros(llvm::Type* of, int64_t count) {
    return llvm::Constant::getNullValue(llvm::FixedVectorType::get(of, static_cast<unsigned>(count)));
  }
  // Sums of two products each, <16 x i16>.
  static llvm::Value* products(llvm::IRBuilderBase& b, llvm::Value* of_unsigned, llvm::Value* of_signed) {
    return b.CreateIntrinsic(llvm::Intrinsic::x86_avx2_pmadd_ub_sw, {}, {of_unsigned, of_signed});
  }
  static llvm::Value* add_pairs(llvm::IRBuilderBase& b, llvm::Value* pairs) {
    llvm::Value* ones = llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(16), b.getInt16(1));
    return b.CreateIntrinsic(llvm::Intrinsic::x86_avx2_pmadd_wd, {}, {pairs, ones});
  }
};

const Avx2 kAvx2;
const RegisterTarget kRegister(kAvx2);

}  // namespace
}  // namespace lmc::targets::avx2
