#include "codegen/kernels/math.h"

#include <cmath>
#include <span>

namespace lmc::math {
namespace {

llvm::Value* constant(llvm::Value* like, double v) { return llvm::ConstantFP::get(like->getType(), v); }

// Horner's scheme, highest coefficient first.
llvm::Value* polynomial(KernelBuilder& k, llvm::Value* x, std::span<const double> coefficients) {
  llvm::Value* y = constant(x, coefficients[0]);
  for (double c : coefficients.subspan(1)) y = k.fma(y, x, constant(x, c));
  return y;
}

llvm::Value* round_even(KernelBuilder& k, llvm::Value* x) {
  return k.ir().CreateUnaryIntrinsic(llvm::Intrinsic::roundeven, x);
}

llvm::Value* clamp(KernelBuilder& k, llvm::Value* x, double low, double high) {
  auto& b = k.ir();
  // Comparisons ordered so that NaN stays NaN.
  x = b.CreateSelect(b.CreateFCmpOLT(x, constant(x, low)), constant(x, low), x);
  return b.CreateSelect(b.CreateFCmpOGT(x, constant(x, high)), constant(x, high), x);
}

}  // namespace

// exp(x) = 2^n exp(r), r = x - n ln2 in [-0.35, 0.35]: Cody-Waite reduction, Taylor series to r^7.
llvm::Value* exp(KernelBuilder& k, llvm::Value* x) {
  auto& b = k.ir();
  x = clamp(k, x, -87.0, 88.0);
  llvm::Value* n = round_even(k, b.CreateFMul(x, constant(x, 1.4426950408889634)));
  llvm::Value* r = k.fma(n, constant(x, -0.693359375), x);
  r = k.fma(n, constant(x, 2.12194440e-4), r);
  static constexpr double taylor[] = {1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1};
  llvm::Value* p = polynomial(k, r, taylor);
  llvm::Value* bits = b.CreateShl(b.CreateFPToSI(n, k.ints()), llvm::ConstantInt::get(k.ints(), 23));
  return b.CreateBitCast(b.CreateAdd(b.CreateBitCast(p, k.ints()), bits), x->getType());
}

llvm::Value* sigmoid(KernelBuilder& k, llvm::Value* x) {
  auto& b = k.ir();
  llvm::Value* one = constant(x, 1);
  return b.CreateFDiv(one, b.CreateFAdd(one, exp(k, b.CreateFNeg(x))));
}

// max(x, 0) + log(1 + u), u = exp(-|x|) in (0, 1]: with s = u / (2 + u), at most 1/3, log(1 + u) is
// 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + …).
llvm::Value* softplus(KernelBuilder& k, llvm::Value* x) {
  auto& b = k.ir();
  llvm::Value* zero = constant(x, 0);
  llvm::Value* u = exp(k, b.CreateFNeg(b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x)));
  llvm::Value* s = b.CreateFDiv(u, b.CreateFAdd(u, constant(x, 2)));
  static constexpr double series[] = {2.0 / 15, 2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3, 2};
  llvm::Value* above = b.CreateSelect(b.CreateFCmpOLT(x, zero), zero, x);
  return k.fma(polynomial(k, b.CreateFMul(s, s), series), s, above);
}

llvm::Value* tanh(KernelBuilder& k, llvm::Value* x) {
  auto& b = k.ir();
  llvm::Value* e = exp(k, b.CreateFMul(x, constant(x, 2)));
  return b.CreateFSub(constant(x, 1), b.CreateFDiv(constant(x, 2), b.CreateFAdd(e, constant(x, 1))));
}

// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
llvm::Value* erf(KernelBuilder& k, llvm::Value* x) {
  auto& b = k.ir();
  llvm::Value* a = b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
  llvm::Value* t = b.CreateFDiv(constant(x, 1), k.fma(a, constant(x, 0.3275911), constant(x, 1)));
  static constexpr double series[] = {1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592, 0};
  llvm::Value* tail = b.CreateFMul(polynomial(k, t, series), exp(k, b.CreateFNeg(b.CreateFMul(a, a))));
  return b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, b.CreateFSub(constant(x, 1), tail), x);
}

// x = n pi/2 + r with r in [-pi/4, pi/4]; Taylor series of both, exchanged and negated by quadrant.
SinCos sincos(KernelBuilder& k, llvm::Value* x) {
  auto& b = k.ir();
  llvm::Value* n = round_even(k, b.CreateFMul(x, constant(x, M_2_PI)));
  llvm::Value* r = k.fma(n, constant(x, -1.5707963267948966), x);  // pi/2 in two pieces
  r = k.fma(n, constant(x, -6.123233995736766e-17), r);
  llvm::Value* r2 = b.CreateFMul(r, r);
  static constexpr double sin_series[] = {-1.0 / 39916800, 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6, 1};
  static constexpr double cos_series[] = {
      1.0 / 479001600, -1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24, -0.5, 1};
  llvm::Value* s = b.CreateFMul(polynomial(k, r2, sin_series), r);
  llvm::Value* c = polynomial(k, r2, cos_series);

  const unsigned lanes = llvm::cast<llvm::FixedVectorType>(x->getType())->getNumElements();
  llvm::Type* i32 = llvm::FixedVectorType::get(b.getInt32Ty(), lanes);
  llvm::Value* quadrant = b.CreateFPToSI(n, i32);
  const auto bit = [&](llvm::Value* v, int which) {
    llvm::Value* masked = b.CreateAnd(v, llvm::ConstantInt::get(i32, static_cast<uint64_t>(which)));
    return b.CreateICmpNE(masked, llvm::Constant::getNullValue(i32));
  };
  llvm::Value* swap = bit(quadrant, 1);
  llvm::Value* sin = b.CreateSelect(swap, c, s);
  llvm::Value* cos = b.CreateSelect(swap, s, c);
  sin = b.CreateSelect(bit(quadrant, 2), b.CreateFNeg(sin), sin);
  llvm::Value* next = b.CreateAdd(quadrant, llvm::ConstantInt::get(i32, 1));
  cos = b.CreateSelect(bit(next, 2), b.CreateFNeg(cos), cos);
  return {sin, cos};
}

}  // namespace lmc::math
