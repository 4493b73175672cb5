#include "codegen/target.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/Module.h>

#include "ir/error.h"

namespace lmc {
namespace {

constexpr const char* kTriple = "x86_64-unknown-linux-gnu";

llvm::Value* zeros(llvm::IRBuilderBase& b) {
  return llvm::Constant::getNullValue(llvm::FixedVectorType::get(b.getInt32Ty(), 8));
}

class Avx2 : public Target {
 public:
  std::string name() const override { return "avx2"; }
  std::string cpu() const override { return "haswell"; }
  std::string features() const override { return "+avx2,+fma,+f16c,-avx512f"; }
  std::string triple() const override { return kTriple; }
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

  llvm::Value* start_int8(llvm::IRBuilderBase& b, llvm::Value*) const override { return zeros(b); }

  // Pairs of products are at most 2 * 15 * 127; 8 of them, 30480, still fit into i16.
  llvm::Value* start_uint4(llvm::IRBuilderBase& b) const override {
    return llvm::Constant::getNullValue(llvm::FixedVectorType::get(b.getInt16Ty(), 16));
  }
  llvm::Value* dot_uint4(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                         llvm::Value* sums) const override {
    return b.CreateAdd(sums,
                       b.CreateIntrinsic(llvm::Intrinsic::x86_avx2_pmadd_ub_sw, {}, {weights, activations}));
  }
  llvm::Value* finish_uint4(llvm::IRBuilderBase& b, llvm::Value* sums) const override {
    llvm::Value* ones = llvm::ConstantVector::getSplat(llvm::ElementCount::getFixed(16), b.getInt16(1));
    return b.CreateIntrinsic(llvm::Intrinsic::x86_avx2_pmadd_wd, {}, {sums, ones});
  }
};

// vpdpbusd multiplies unsigned by signed bytes and adds four products to an i32 without saturating on the
// way: w + 128 as u8, and 128 times the sum of the activations taken off before. One instruction per 32
// products, which reads the activations from memory itself.
class Vnni : public Target {
 public:
  bool wants_block_sums() const override { return true; }

  Prepared prepare_int8(llvm::IRBuilderBase& b, llvm::Value* weights) const override {
    return {weights, b.CreateXor(weights, llvm::ConstantInt::get(weights->getType(), 0x80))};
  }

  llvm::Value* dot_int8(llvm::IRBuilderBase& b, const Prepared& w, llvm::Value* activations,
                        llvm::Value* sums) const override {
    return dot_unsigned(b, w.magnitude, activations, sums);
  }

  llvm::Value* start_int8(llvm::IRBuilderBase& b, llvm::Value* block_sum) const override {
    return b.CreateVectorSplat(8, b.CreateMul(block_sum, b.getInt32(static_cast<uint32_t>(-128))));
  }

  llvm::Value* start_uint4(llvm::IRBuilderBase& b) const override { return zeros(b); }
  llvm::Value* dot_uint4(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                         llvm::Value* sums) const override {
    return dot_unsigned(b, weights, activations, sums);
  }
  llvm::Value* finish_uint4(llvm::IRBuilderBase&, llvm::Value* sums) const override { return sums; }

  std::string triple() const override { return kTriple; }

 private:
  static llvm::Value* dot_unsigned(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                                   llvm::Value* sums) {
    llvm::Type* i32x8 = sums->getType();
    return b.CreateIntrinsic(llvm::Intrinsic::x86_avx512_vpdpbusd_256, {},
                             {sums, b.CreateBitCast(weights, i32x8), b.CreateBitCast(activations, i32x8)});
  }
};

// Zen 4, Cascade Lake and later servers. Vectors of 256 bits: the clock stays up.
class Avx512Vnni : public Vnni {
 public:
  std::string name() const override { return "avx512-vnni"; }
  std::string cpu() const override { return "cascadelake"; }
  std::string features() const override { return "+avx512vnni,+avx512vl,+avx512bw,+prefer-256-bit"; }
  int64_t groups_at_once() const override { return 2; }  // 32 registers
  bool supported_here() const override {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c");
  }
};

// Alder Lake and later.
class AvxVnni : public Vnni {
 public:
  std::string name() const override { return "avx-vnni"; }
  std::string cpu() const override { return "alderlake"; }
  std::string features() const override { return "+avxvnni,+avx2,+fma,+f16c,-avx512f"; }
  bool supported_here() const override {
    return __builtin_cpu_supports("avxvnni") && __builtin_cpu_supports("avx2") &&
           __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  }
};

// Best first.
const std::vector<const Target*>& all_targets() {
  static const Avx512Vnni avx512_vnni;
  static const AvxVnni avx_vnni;
  static const Avx2 avx2;
  static const std::vector<const Target*> all = {&avx512_vnni, &avx_vnni, &avx2};
  return all;
}

}  // namespace

std::vector<const Target*> targets_here() {
  std::vector<const Target*> out;
  for (const Target* t : all_targets()) {
    if (t->supported_here()) out.push_back(t);
  }
  return out;
}

const Target& find_target(const std::string& name) {
  std::string known = "native";
  for (const Target* t : all_targets()) {
    if (name == t->name() || (name == "native" && t->supported_here())) return *t;
    known += ", " + t->name();
  }
  if (name == "native") throw Error("this CPU has no AVX2, FMA and F16C, which every target of lmc needs");
  throw Error("unknown target '" + name + "'; known are: " + known);
}

}  // namespace lmc
