// quantize of an activation row: int8 values, then one f32 scale per block of 32 (an f16 number, stored wide
// so that the dot product need not convert it), then the i32 sum of each block. The sums are there whoever
// reads them: stages that look alike share a kernel, and what their weights need is not for this one to know.
// See ir/ops/quantize.cpp for the definition.
#include "codegen/kernels/quantize.h"

#include "ir/op_def.h"

namespace lmc {

namespace {

// The largest absolute value of a block.
llvm::Value* largest(KernelBuilder& k, const std::vector<llvm::Value*>& numbers) {
  auto& b = k.ir();
  const auto larger = [&](llvm::Value* a, llvm::Value* c) {
    return b.CreateSelect(b.CreateFCmpOGT(a, c), a, c);
  };
  llvm::Value* out = k.splat(0.0);
  for (llvm::Value* v : numbers) out = larger(b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, v), out);
  const int64_t eights = k.lanes() / kLanes;
  const WithLanes eight(k, kLanes);
  llvm::Value* of_eights = k.part(out, 0);
  for (int64_t n = 1; n < eights; ++n) of_eights = larger(of_eights, k.part(out, n));
  return k.max_lanes(of_eights);
}

}  // namespace

QuantisedBlock quantised(KernelBuilder& k, const BlockParts& parts) {
  auto& b = k.ir();
  // In registers as wide as they are.
  std::vector<llvm::Value*> numbers(parts.begin(), parts.end());
  if (k.target().float_lanes() > kLanes)
    numbers = {k.beside(parts[0], parts[1]), k.beside(parts[2], parts[3])};
  const WithLanes wide(k, kQ8Block / static_cast<int64_t>(numbers.size()));
  llvm::Value* d = b.CreateFDiv(largest(k, numbers), k.f32(127));
  d = b.CreateSelect(b.CreateFCmpOGT(d, k.f32(65504)), k.f32(65504), d);
  d = b.CreateFPExt(b.CreateFPTrunc(d, b.getHalfTy()), b.getFloatTy());
  llvm::Value* inverse = b.CreateSelect(b.CreateFCmpOGT(d, k.f32(0)), b.CreateFDiv(k.f32(1), d), k.f32(0));

  // Added to 1.5 * 2^23 a small number is rounded to the nearest whole one, even where two are near, and the
  // bits of the sum are those of 1.5 * 2^23 plus it: its low byte is an int8.
  constexpr double kRounding = 12582912;
  constexpr uint32_t kRoundingBits = 0x4b400000;
  std::vector<llvm::Value*> bits;
  for (llvm::Value* v : numbers) {
    llvm::Value* q = b.CreateFMul(v, k.splat(inverse));
    // In this order NaN becomes a number.
    q = b.CreateSelect(b.CreateFCmpOLT(q, k.splat(127)), q, k.splat(127));
    q = b.CreateSelect(b.CreateFCmpOGT(q, k.splat(-127)), q, k.splat(-127));
    bits.push_back(b.CreateBitCast(b.CreateFAdd(q, k.splat(kRounding)), k.ints()));
  }
  // One conversion to 32 bytes: LLVM packs it in few shuffles.
  while (bits.size() > 1) {
    for (size_t i = 0; i < bits.size() / 2; ++i) bits[i] = k.beside(bits[2 * i], bits[2 * i + 1]);
    bits.resize(bits.size() / 2);
  }
  llvm::Value* sum = b.CreateSub(b.CreateAddReduce(bits[0]), b.getInt32(kRoundingBits * uint32_t{kQ8Block}));
  return {d, b.CreateTrunc(bits[0], k.vector(b.getInt8Ty(), kQ8Block)), sum};
}

void store_quantised(RowEmitter& e, ValueId result, llvm::Value* outer, llvm::Value* first,
                     const BlockParts& parts) {
  KernelBuilder& k = e.k;
  const QuantisedBlock block = quantised(k, parts);
  llvm::Value* row = k.at(e.address(result), k.mul(outer, quantised_bytes(e.g.type(result).last())));
  k.store(block.numbers, k.at(row, first));
  const int64_t padded = (e.g.type(result).last() + kQ8Block - 1) / kQ8Block * kQ8Block;
  llvm::Value* beside = k.ir().CreateUDiv(first, k.i64(8));  // 4 bytes per 32 values
  k.store(block.scale, k.at(row, k.add(k.i64(padded), beside)), 4);
  k.store(block.sum, k.at(row, k.add(k.i64(padded + padded / 8), beside)), 4);
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
