// embedding and select_rows: rows picked by an index.
#include "codegen/kernels/row_kernel.h"
#include "codegen/layout.h"

namespace lmc {
namespace {

using llvm::Value;

// Row `id` of a table packed as f32.rows8: elements 8 floats apart.
Value* packed_f32(RowEmitter& e, Value* table, Value* id, int64_t cols, Value* j) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  Value* group =
      k.at(table, k.add(k.mul(b.CreateLShr(id, 3), cols * 32), k.mul(b.CreateAnd(id, k.i64(7)), 4)));
  Value* y = llvm::Constant::getNullValue(k.f32x8());
  for (int64_t i = 0; i < kLanes; ++i) {
    // The last vector of a row may reach past it; the row's first element is as good as any there.
    Value* column = k.add(j, k.i64(i));
    column = b.CreateSelect(b.CreateICmpSLT(column, k.i64(cols)), column, k.i64(0));
    y = b.CreateInsertElement(y, k.load(b.getFloatTy(), k.at(group, k.mul(column, 32)), 4), k.i64(i));
  }
  return y;
}

// Row `id` of a table packed as q8_0.rows8: runs of 4 bytes, 32 bytes apart, and the block's scale.
Value* packed_q8(RowEmitter& e, Value* table, Value* id, int64_t cols, Value* j) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const int64_t blocks = (cols + kQ8Block - 1) / kQ8Block;
  Value* lane = b.CreateAnd(id, k.i64(7));
  Value* block =
      k.at(table, k.mul(k.add(k.mul(b.CreateLShr(id, 3), blocks), b.CreateLShr(j, 5)), kQ8GroupBytes));
  Value* quad = b.CreateLShr(b.CreateAnd(j, k.i64(31)), 2);
  llvm::Type* i8x4 = llvm::FixedVectorType::get(b.getInt8Ty(), 4);
  Value* bytes = k.at(block, k.add(k.mul(quad, 32), k.mul(lane, 4)));
  Value* low = k.load(i8x4, bytes);
  Value* high = k.load(i8x4, k.at(bytes, 32));
  Value* q = b.CreateShuffleVector(low, high, {0, 1, 2, 3, 4, 5, 6, 7});
  Value* half = k.load(b.getHalfTy(), k.at(block, k.add(k.i64(256), k.mul(lane, 2))), 2);
  return b.CreateFMul(b.CreateSIToFP(q, k.f32x8()), k.splat(b.CreateFPExt(half, b.getFloatTy())));
}

// Row `id` of a plain row-major table.
Value* plain(RowEmitter& e, ValueId table_value, Value* table, Value* id, int64_t cols, Value* j) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const std::string& layout = e.slot(table_value).layout;
  Value* index = k.add(k.mul(id, cols), j);
  if (layout == "f32") return k.load(k.f32x8(), k.at(table, k.mul(index, 4)), 4);
  Value* address = k.at(table, k.mul(index, 2));
  if (layout == "f16")
    return k.half_to_float(k.load(llvm::FixedVectorType::get(b.getHalfTy(), kLanes), address, 2));
  Value* bits =
      b.CreateZExt(k.load(llvm::FixedVectorType::get(b.getInt16Ty(), kLanes), address, 2), k.i32x8());
  return b.CreateBitCast(b.CreateShl(bits, llvm::ConstantInt::get(k.i32x8(), 16)), k.f32x8());
}

void embedding(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  const ValueId table_value = op.operands[1];
  const int64_t cols = e.g.type(table_value).last();
  Value* id =
      k.ir().CreateSExt(k.load(k.ir().getInt32Ty(), e.address(op.operands[0]), 4), k.ir().getInt64Ty());
  Value* table = e.address(table_value);
  const std::string& layout = e.slot(table_value).layout;
  e.for_lanes(cols, [&](Value* j, int64_t n) {
    Value* y = layout == "f32.rows8"    ? packed_f32(e, table, id, cols, j)
               : layout == "q8_0.rows8" ? packed_q8(e, table, id, cols, j)
                                        : plain(e, table_value, table, id, cols, j);
    e.store(op.results[0], k.i64(0), j, y, n);
  });
}

void select_rows(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  const ValueId x = op.operands[0];
  const Type& t = e.g.type(x);
  Value* index =
      k.ir().CreateSExt(k.load(k.ir().getInt32Ty(), e.address(op.operands[1]), 4), k.ir().getInt64Ty());
  Value* from = e.address(x, index);
  const int64_t row = t.last() * RowEmitter::sub_rows(t);
  e.for_lanes(row, [&](Value* j, int64_t n) {
    e.store(op.results[0], k.i64(0), j, k.load(k.f32x8(), k.at(from, k.mul(j, 4)), 4), n);
  });
}

const RegisterRowOp kEmbedding("embedding", {nullptr, embedding});
const RegisterRowOp kSelectRows("select_rows", {nullptr, select_rows});

}  // namespace
}  // namespace lmc
