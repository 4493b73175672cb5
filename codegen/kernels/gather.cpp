// embedding and select_rows: rows picked by an index.
#include "codegen/kernels/row_kernel.h"
#include "codegen/weight_layout.h"

namespace lmc::kernels::gather {
namespace {

// Row `id` of a table packed in slabs of rows.
llvm::Value* packed(RowEmitter& e, const WeightLayout& layout, llvm::Value* table, llvm::Value* id,
                    int64_t cols, llvm::Value* j) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  llvm::Value* rows = k.i64(layout.slab_rows());
  llvm::Value* slab = k.at(table, k.mul(b.CreateUDiv(id, rows), layout.slab_bytes(cols)));
  return layout.emit_row(k, slab, b.CreateURem(id, rows), cols, j);
}

// Row `id` of a plain row-major table.
llvm::Value* plain(RowEmitter& e, ValueId table_value, llvm::Value* table, llvm::Value* id, int64_t cols,
                   llvm::Value* j) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const std::string& layout = e.slot(table_value).layout;
  llvm::Value* index = k.add(k.mul(id, cols), j);
  if (layout == "f32") return k.load(k.floats(), k.at(table, k.mul(index, 4)), 4);
  llvm::Type* stored = layout == "f16" ? b.getHalfTy() : static_cast<llvm::Type*>(b.getInt16Ty());
  return k.widen(k.load(llvm::FixedVectorType::get(stored, kLanes), k.at(table, k.mul(index, 2)), 2));
}

void embedding(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  const ValueId table_value = op.operands[1];
  const int64_t cols = e.g.type(table_value).last();
  llvm::Value* id =
      k.ir().CreateSExt(k.load(k.ir().getInt32Ty(), e.address(op.operands[0]), 4), k.ir().getInt64Ty());
  llvm::Value* table = e.address(table_value);
  const WeightLayout* layout = find_weight_layout(e.slot(table_value).layout);
  // Of a part of a table: what it does not have is read from its first row, and thrown away.
  llvm::Value* here = nullptr;
  if (attr_int(op, "of") > 0) {
    id = k.ir().CreateSub(id, k.i64(attr_int(op, "first")));
    here = k.ir().CreateICmpULT(id, k.i64(e.g.type(table_value).dims[0]));
    id = k.ir().CreateSelect(here, id, k.i64(0));
  }
  e.for_lanes(cols, [&](llvm::Value* j, int64_t n) {
    llvm::Value* y =
        layout ? packed(e, *layout, table, id, cols, j) : plain(e, table_value, table, id, cols, j);
    if (here) y = k.ir().CreateSelect(here, y, k.splat(-0.0));
    e.store(op.results[0], k.i64(0), j, y, n);
  });
}

void select_rows(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  const ValueId x = op.operands[0];
  const Type& t = e.g.type(x);
  llvm::Value* index =
      k.ir().CreateSExt(k.load(k.ir().getInt32Ty(), e.address(op.operands[1]), 4), k.ir().getInt64Ty());
  llvm::Value* from = e.address(x, index);
  const int64_t row = t.last() * RowEmitter::sub_rows(t);
  e.for_lanes(row, [&](llvm::Value* j, int64_t n) {
    e.store(op.results[0], k.i64(0), j, k.load(k.floats(), k.at(from, k.mul(j, 4)), 4), n);
  });
}

const RegisterRowOp kEmbedding("embedding", {nullptr, embedding});
const RegisterRowOp kSelectRows("select_rows", {nullptr, select_rows});

}  // namespace
}  // namespace lmc::kernels::gather
