#include "codegen/target.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/Module.h>

#include "ir/error.h"

namespace lmc {
namespace {

class Avx2 : public Target {
 public:
  std::string name() const override { return "avx2"; }
  std::string cpu() const override { return "haswell"; }
  std::string features() const override { return "+avx2,+fma,+f16c,-avx512f"; }
  std::string triple() const override { return "x86_64-unknown-linux-gnu"; }
  bool supported_here() const override {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  }

  // vpmaddubsw wants one unsigned side: |w| as u8 (so -128 becomes 128) times x carrying w's sign. The pair
  // sums stay below 2 * 128 * 127 = 32512 and never saturate i16.
  Prepared prepare_int8(llvm::IRBuilderBase& b, llvm::Value* weights) const override {
    return {weights, b.CreateBinaryIntrinsic(llvm::Intrinsic::abs, weights, b.getFalse())};
  }

  llvm::Value* dot_int8(llvm::IRBuilderBase& b, const Prepared& w, llvm::Value* activations,
                        llvm::Value* sums) const override {
    llvm::Value* ones = llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(16), b.getInt16(1));
    llvm::Value* signed_x =
        b.CreateIntrinsic(llvm::Intrinsic::x86_avx2_psign_b, {}, {activations, w.weights});
    llvm::Value* pairs =
        b.CreateIntrinsic(llvm::Intrinsic::x86_avx2_pmadd_ub_sw, {}, {w.magnitude, signed_x});
    llvm::Value* quads = b.CreateIntrinsic(llvm::Intrinsic::x86_avx2_pmadd_wd, {}, {pairs, ones});
    return b.CreateAdd(sums, quads);
  }
};

}  // namespace

const Target& find_target(const std::string& name) {
  static const Avx2 avx2;
  if (name == avx2.name()) return avx2;
  if (name == "native") {
    if (avx2.supported_here()) return avx2;
    throw Error("this CPU has no AVX2, FMA and F16C, which every target of lmc needs");
  }
  throw Error("unknown target '" + name + "'; known are: native, avx2");
}

}  // namespace lmc
