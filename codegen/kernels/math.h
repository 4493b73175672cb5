// Elementary functions as polynomials over vectors, because kernels call nothing.
#pragma once

#include "codegen/kernels/builder.h"

namespace lmc::math {

// All on <8 x float>. exp: relative error below 2e-7, inputs clamped to [-87, 88]; exp(0) is exactly 1.
llvm::Value* exp(KernelBuilder& k, llvm::Value* x);
llvm::Value* sigmoid(KernelBuilder& k, llvm::Value* x);   // 1 / (1 + exp(-x))
llvm::Value* softplus(KernelBuilder& k, llvm::Value* x);  // log(1 + exp(x)), relative error below 3e-7
llvm::Value* tanh(KernelBuilder& k, llvm::Value* x);      // absolute error below 2e-7
llvm::Value* erf(KernelBuilder& k, llvm::Value* x);       // absolute error below 3e-7

// sin and cos of <n x double>, |x| < 1e8, absolute error below 1e-11.
struct SinCos {
  llvm::Value* sin;
  llvm::Value* cos;
};
SinCos sincos(KernelBuilder& k, llvm::Value* x);

}  // namespace lmc::math
