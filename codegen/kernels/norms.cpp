// rms_norm and layer_norm: statistics of a sub-row first, then the elementwise part. Sums run over 8 lanes in
// one fixed order, so a row's result does not depend on what else is computed.
#include "codegen/kernels/row_kernel.h"

namespace lmc::kernels::norms {
namespace {

// Sum over a sub-row of f(lanes), as a scalar.
llvm::Value* row_sum(RowEmitter& e, ValueId x, llvm::Value* outer,
                     const std::function<llvm::Value*(llvm::Value*)>& f) {
  KernelBuilder& k = e.k;
  llvm::Value* sum = k.variable(k.splat(0.0));
  e.for_lanes(e.g.type(x).last(), [&](llvm::Value* inner, int64_t n) {
    llvm::Value* v = k.keep_lanes(f(e.lanes(x, outer, inner)), n);
    k.set(sum, k.ir().CreateFAdd(k.get(sum), v));
  });
  return k.sum_lanes(k.get(sum));
}

llvm::Value* inverse_root(KernelBuilder& k, llvm::Value* sum, int64_t n, double eps) {
  llvm::Value* mean = k.ir().CreateFMul(sum, k.f32(1.0 / static_cast<double>(n)));
  llvm::Value* root = k.ir().CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, k.ir().CreateFAdd(mean, k.f32(eps)));
  return k.ir().CreateFDiv(k.f32(1), root);
}

void rms_norm(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const ValueId x = op.operands[0];
  const Type& t = e.g.type(x);
  const double offset = attr_real(op, "offset");
  k.loop(k.i64(0), k.i64(RowEmitter::sub_rows(t)), 1, [&](llvm::Value* outer) {
    llvm::Value* sum = row_sum(e, x, outer, [&](llvm::Value* v) { return b.CreateFMul(v, v); });
    llvm::Value* scale = inverse_root(k, sum, t.last(), attr_real(op, "eps"));
    e.for_wide_lanes(t.last(), [&](llvm::Value* inner, int64_t n) {
      llvm::Value* w = e.lanes(op.operands[1], k.i64(0), inner);
      if (offset != 0) w = b.CreateFAdd(w, k.splat(offset));
      llvm::Value* y = b.CreateFMul(b.CreateFMul(e.lanes(x, outer, inner), k.splat(scale)), w);
      e.store(op.results[0], outer, inner, y, n);
    });
  });
}

void layer_norm(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const ValueId x = op.operands[0];
  const Type& t = e.g.type(x);
  k.loop(k.i64(0), k.i64(RowEmitter::sub_rows(t)), 1, [&](llvm::Value* outer) {
    llvm::Value* total = row_sum(e, x, outer, [](llvm::Value* v) { return v; });
    llvm::Value* mean = b.CreateFMul(total, k.f32(1.0 / static_cast<double>(t.last())));
    llvm::Value* squares = row_sum(e, x, outer, [&](llvm::Value* v) {
      llvm::Value* d = b.CreateFSub(v, k.splat(mean));
      return b.CreateFMul(d, d);
    });
    llvm::Value* scale = inverse_root(k, squares, t.last(), attr_real(op, "eps"));
    e.for_wide_lanes(t.last(), [&](llvm::Value* inner, int64_t n) {
      llvm::Value* centred =
          b.CreateFMul(b.CreateFSub(e.lanes(x, outer, inner), k.splat(mean)), k.splat(scale));
      llvm::Value* w = e.lanes(op.operands[1], k.i64(0), inner);
      llvm::Value* y = op.operands.size() > 2 ? k.fma(centred, w, e.lanes(op.operands[2], k.i64(0), inner))
                                              : b.CreateFMul(centred, w);
      e.store(op.results[0], outer, inner, y, n);
    });
  });
}

const RegisterRowOp kRmsNorm("rms_norm", {nullptr, rms_norm, true});
const RegisterRowOp kLayerNorm("layer_norm", {nullptr, layer_norm, true});

}  // namespace
}  // namespace lmc::kernels::norms
