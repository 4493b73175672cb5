// quantize of an activation row: int8 values, then one f32 scale per block of 32 (an f16 number, stored wide
// so that the dot product need not convert it). See ir/ops/quantize.cpp for the definition.
#include "codegen/kernels/row_kernel.h"

namespace lmc {
namespace {

using llvm::Value;

void quantize_block(RowEmitter& e, const Op& op, Value* outer, Value* first, int64_t length) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  std::vector<Value*> parts;
  Value* largest = k.splat(0.0);
  for (int64_t i = 0; i < kQ8Block; i += kLanes) {
    Value* v = k.splat(0.0);
    if (i < length) v = k.keep_lanes(e.lanes(op.operands[0], outer, k.add(first, k.i64(i))), length - i);
    parts.push_back(v);
    Value* a = b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, v);
    largest = b.CreateSelect(b.CreateFCmpOGT(a, largest), a, largest);
  }
  Value* d = b.CreateFDiv(k.max_lanes(largest), k.f32(127));
  d = b.CreateSelect(b.CreateFCmpOGT(d, k.f32(65504)), k.f32(65504), d);
  d = b.CreateFPExt(b.CreateFPTrunc(d, b.getHalfTy()), b.getFloatTy());
  Value* inverse = b.CreateSelect(b.CreateFCmpOGT(d, k.f32(0)), b.CreateFDiv(k.f32(1), d), k.f32(0));
  Value* by = k.splat(inverse);

  Value* row = e.address(op.results[0]);
  const int64_t padded = (e.g.type(op.results[0]).last() + kQ8Block - 1) / kQ8Block * kQ8Block;
  for (int64_t i = 0; i < kQ8Block; i += kLanes) {
    Value* q = b.CreateUnaryIntrinsic(llvm::Intrinsic::roundeven,
                                      b.CreateFMul(parts[static_cast<size_t>(i / kLanes)], by));
    q = b.CreateSelect(b.CreateFCmpOGT(q, k.splat(127)), k.splat(127), q);
    q = b.CreateSelect(b.CreateFCmpOLT(q, k.splat(-127)), k.splat(-127), q);
    Value* bytes = b.CreateTrunc(b.CreateIntrinsic(llvm::Intrinsic::fptosi_sat, {k.i32x8(), k.f32x8()}, {q}),
                                 llvm::FixedVectorType::get(b.getInt8Ty(), kLanes));
    k.store(bytes, k.at(row, k.add(first, k.i64(i))));
  }
  k.store(d, k.at(row, k.add(k.i64(padded), b.CreateUDiv(first, k.i64(8)))), 4);  // 4 bytes per 32 values
}

void quantize(RowEmitter& e, const Op& op) {
  const int64_t length = e.g.type(op.operands[0]).last();
  const int64_t whole = length / kQ8Block * kQ8Block;
  Value* zero = e.k.i64(0);
  e.k.loop(zero, e.k.i64(whole), kQ8Block,
           [&](Value* first) { quantize_block(e, op, zero, first, kQ8Block); });
  if (whole < length) quantize_block(e, op, zero, e.k.i64(whole), length - whole);
}

const RegisterRowOp kQuantize("quantize", {nullptr, quantize});

}  // namespace
}  // namespace lmc
