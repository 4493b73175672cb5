#include "codegen/targets/vnni.h"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsX86.h>

#include "codegen/halves.h"
#include "codegen/targets/x86.h"
#include "codegen/weight_layout.h"

namespace lmc {

std::string Vnni::triple() const { return kX86Triple; }

Target::Prepared Vnni::prepare_int8(llvm::IRBuilderBase& b, llvm::Value* weights) const {
  return {weights, b.CreateXor(weights, llvm::ConstantInt::get(weights->getType(), 0x80))};
}

llvm::Value* Vnni::dot_int8(llvm::IRBuilderBase& b, const Prepared& w, llvm::Value* activations,
                            llvm::Value* sums) const {
  return dot_unsigned(b, w.as_unsigned, activations, sums);
}

llvm::Value* Vnni::start_int8(llvm::IRBuilderBase& b, llvm::Value* block_sum, int64_t lanes) const {
  return b.CreateVectorSplat(static_cast<unsigned>(lanes),
                             b.CreateMul(block_sum, b.getInt32(static_cast<uint32_t>(-128))));
}

llvm::Value* Vnni::start_uint4(llvm::IRBuilderBase& b, int64_t lanes) const {
  return llvm::Constant::getNullValue(
      llvm::FixedVectorType::get(b.getInt32Ty(), static_cast<unsigned>(lanes)));
}

llvm::Value* Vnni::dot_uint4(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                             llvm::Value* sums) const {
  return dot_unsigned(b, weights, activations, sums);
}

llvm::Value* Vnni::finish_uint4(llvm::IRBuilderBase&, llvm::Value* sums) const { return sums; }

llvm::Value* Vnni::dot_uint6(llvm::IRBuilderBase& b, const TwoSteps& weights, const TwoSteps& activations,
                             llvm::Value* sums) const {
  llvm::Value* first = dot_unsigned(b, weights.first, activations.first, sums);
  return dot_unsigned(b, weights.second, activations.second, first);
}

const WeightLayout& Vnni::widest(DType format, int64_t most_rows) const {
  const bool of_unsigned = format == DType::q8_0 && !matrix_unit();
  return widest_layout(format, most_rows,
                       of_unsigned ? WeightLayout::Kind::of_unsigned : WeightLayout::Kind::usual);
}

llvm::Value* Vnni::dot_unsigned(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                                llvm::Value* sums) const {
  if (lanes_of(sums) > lanes()) {
    return joined(b, dot_unsigned(b, low_half(b, weights), low_half(b, activations), low_half(b, sums)),
                  dot_unsigned(b, high_half(b, weights), high_half(b, activations), high_half(b, sums)));
  }
  llvm::Type* type = sums->getType();
  const auto instruction = lanes_of(sums) == 16 ? llvm::Intrinsic::x86_avx512_vpdpbusd_512
                                                : llvm::Intrinsic::x86_avx512_vpdpbusd_256;
  return b.CreateIntrinsic(instruction, {},
                           {sums, b.CreateBitCast(weights, type), b.CreateBitCast(activations, type)});
}

}  // namespace lmc
