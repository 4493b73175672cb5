// vpdpbusd multiplies unsigned by signed bytes and adds four products to an i32 without saturating on the
// way: w + 128 as u8, and 128 times the sum of the activations taken off before. One instruction per vector
// of products. Weights of Q8_0 lie in memory as u8.
#pragma once

#include "codegen/target.h"

namespace lmc {

class Vnni : public Target {
 public:
  std::string triple() const override;
  bool wants_block_sums() const override { return true; }
  bool prepares_for_good() const override { return true; }

  Prepared prepare_int8(llvm::IRBuilderBase& b, llvm::Value* weights) const override;
  llvm::Value* dot_int8(llvm::IRBuilderBase& b, const Prepared& w, llvm::Value* activations,
                        llvm::Value* sums) const override;
  llvm::Value* start_int8(llvm::IRBuilderBase& b, llvm::Value* block_sum, int64_t lanes) const override;
  llvm::Value* start_uint4(llvm::IRBuilderBase& b, int64_t lanes) const override;
  llvm::Value* dot_uint4(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                         llvm::Value* sums) const override;
  llvm::Value* finish_uint4(llvm::IRBuilderBase& b, llvm::Value* sums) const override;
  llvm::Value* dot_uint6(llvm::IRBuilderBase& b, const TwoSteps& weights, const TwoSteps& activations,
                         llvm::Value* sums) const override;

 protected:
  virtual int64_t lanes() const { return 8; }  // of 32 bits, in a register
  // The widest layout in the form that products read. (A matrix unit reads int8.)
  const WeightLayout& widest(DType format, int64_t most_rows) const;

 private:
  llvm::Value* dot_unsigned(llvm::IRBuilderBase& b, llvm::Value* weights, llvm::Value* activations,
                            llvm::Value* sums) const;
};

}  // namespace lmc
