// quantize of an activation row: int8 values, then one f32 scale per block of 32 (an f16 number, stored wide
// so that the dot product need not convert it), then the i32 sum of each block. The sums are there whoever
// reads them: stages that look alike share a kernel, and what their weights need is not for this one to know.
// See ir/ops/quantize.cpp for the definition.
#include "codegen/kernels/quantize.h"

#include "ir/op_def.h"

namespace lmc {

QuantisedBlock quantised(KernelBuilder& k, const BlockParts& parts) {
  auto& b = k.ir();
  llvm::Value* largest = k.splat(0.0);
  for (llvm::Value* v : parts) {
    llvm::Value* a = b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, v);
    largest = b.CreateSelect(b.CreateFCmpOGT(a, largest), a, largest);
  }
  llvm::Value* d = b.CreateFDiv(k.max_lanes(largest), k.f32(127));
  d = b.CreateSelect(b.CreateFCmpOGT(d, k.f32(65504)), k.f32(65504), d);
  d = b.CreateFPExt(b.CreateFPTrunc(d, b.getHalfTy()), b.getFloatTy());
  llvm::Value* inverse = b.CreateSelect(b.CreateFCmpOGT(d, k.f32(0)), b.CreateFDiv(k.f32(1), d), k.f32(0));
  llvm::Value* by = k.splat(inverse);

  std::vector<llvm::Value*> ints;
  for (llvm::Value* v : parts) {
    llvm::Value* q = b.CreateUnaryIntrinsic(llvm::Intrinsic::roundeven, b.CreateFMul(v, by));
    // In this order NaN becomes a number: the conversion is defined for every input.
    q = b.CreateSelect(b.CreateFCmpOLT(q, k.splat(127)), q, k.splat(127));
    q = b.CreateSelect(b.CreateFCmpOGT(q, k.splat(-127)), q, k.splat(-127));
    ints.push_back(b.CreateFPToSI(q, k.i32x8()));
  }
  // One conversion to 32 bytes: LLVM packs it in few shuffles.
  const auto join = [&](llvm::Value* a, llvm::Value* c, int lanes) {
    std::vector<int> all(static_cast<size_t>(2 * lanes));
    for (int i = 0; i < 2 * lanes; ++i) all[static_cast<size_t>(i)] = i;
    return b.CreateShuffleVector(a, c, all);
  };
  return {d, join(join(ints[0], ints[1], 8), join(ints[2], ints[3], 8), 16)};
}

void store_quantised(RowEmitter& e, ValueId result, llvm::Value* outer, llvm::Value* first,
                     const BlockParts& parts) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const QuantisedBlock block = quantised(k, parts);
  llvm::Value* row = k.at(e.address(result), k.mul(outer, quantised_bytes(e.g.type(result).last())));
  k.store(b.CreateTrunc(block.numbers, llvm::FixedVectorType::get(b.getInt8Ty(), kQ8Block)),
          k.at(row, first));
  const int64_t padded = (e.g.type(result).last() + kQ8Block - 1) / kQ8Block * kQ8Block;
  llvm::Value* beside = b.CreateUDiv(first, k.i64(8));  // 4 bytes per 32 values
  k.store(block.scale, k.at(row, k.add(k.i64(padded), beside)), 4);
  llvm::Value* sum = b.CreateAddReduce(block.numbers);
  k.store(sum, k.at(row, k.add(k.i64(padded + padded / 8), beside)), 4);
}

BlockParts block_parts(RowEmitter& e, ValueId v, llvm::Value* outer, llvm::Value* first, int64_t there) {
  KernelBuilder& k = e.k;
  BlockParts parts;
  for (int64_t i = 0; i < kQ8Block; i += kLanes) {
    llvm::Value* part = k.splat(0.0);
    if (i < there) part = k.keep_lanes(e.lanes(v, outer, k.add(first, k.i64(i))), there - i);
    parts[static_cast<size_t>(i / kLanes)] = part;
  }
  return parts;
}

void for_blocks(KernelBuilder& k, int64_t length, const std::function<void(llvm::Value*, int64_t)>& body) {
  const int64_t whole = length / kQ8Block * kQ8Block;
  k.loop(k.i64(0), k.i64(whole), kQ8Block, [&](llvm::Value* first) { body(first, kQ8Block); });
  if (whole < length) body(k.i64(whole), length - whole);
}

namespace {

void quantize(RowEmitter& e, const Op& op) {
  const Type& type = e.g.type(op.operands[0]);
  e.k.loop(e.k.i64(0), e.k.i64(RowEmitter::sub_rows(type)), 1, [&](llvm::Value* outer) {
    for_blocks(e.k, type.last(), [&](llvm::Value* first, int64_t there) {
      store_quantised(e, op.results[0], outer, first, block_parts(e, op.operands[0], outer, first, there));
    });
  });
}

const RegisterRowOp kQuantize("quantize", {nullptr, quantize, true});

}  // namespace
}  // namespace lmc
