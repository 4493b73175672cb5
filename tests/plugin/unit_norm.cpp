// An op, a kernel family for it and a pass that uses them, in one shared object: rms_norm spelled unit_norm,
// whose kernels stand alone and walk the row in one loop per token.
#include <cmath>

#include "codegen/family.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/op_def.h"
#include "passes/engine/plugin.h"

LMC_PLUGIN

namespace lmc {
namespace {

// The meaning: what the evaluator computes, and all kernels are compared with.
const RegisterOp kOp(OpDef{
    .name = "unit_norm",
    .doc = "x / sqrt(mean(x^2) + eps) * (offset + weight)",
    .category = OpCategory::row,
    .operands = {{"x", "[T, N] f32"}, {"weight", "[N]"}},
    .attrs = {{"eps", AttrKind::real, 1e-6, "added to the mean"},
              {"offset", AttrKind::real, 0.0, "added to the weight"}},
    .infer =
        [](const InferArgs& a) {
          require(
              a[0].rank() == 2 && a[0].dtype == DType::f32 && a[1].rank() == 1 && a[1].last() == a[0].last(),
              "expected rows [T, N] and a weight [N], found " + a[0].str() + " and " + a[1].str());
          return std::vector<Type>{a[0]};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          for (int64_t r = 0; r < y.rows(); ++r) {
            double sum = 0;
            for (int64_t i = 0; i < y.last(); ++i) sum += y.row(r)[i] * y.row(r)[i];
            const double scale = 1 / std::sqrt(sum / static_cast<double>(y.last()) + a.real("eps"));
            for (int64_t i = 0; i < y.last(); ++i)
              y.row(r)[i] *= scale * (a.real("offset") + a[1].data[static_cast<size_t>(i)]);
          }
          return std::vector<Tensor>{std::move(y)};
        },
});

class UnitNorm : public KernelFamily {
 public:
  std::string name() const override { return "unit_norm"; }
  std::string doc() const override { return "one unit_norm, a token per tile"; }
  bool is_core(const Op& op) const override { return op.def->name == "unit_norm"; }
  void check(const KernelSpec& spec) const override {
    const Frame f(spec);
    if (f.ops.size() != 1) throw Error(f.g.op(f.ops.back()).loc, "unit_norm stands alone");
  }
  void cut(KernelSpec& spec) const override {
    spec.grain = 1;
    spec.tiles = spec.tokens;
  }
  KernelMemory memory(const KernelSpec&) const override { return {}; }

  void emit(KernelBuilder& k, const KernelSpec& spec) const override {
    const Frame f(spec);
    const Op& op = f.g.op(f.ops.front());
    const int64_t n = f.g.type(op.operands[0]).last();
    auto& b = k.ir();
    k.if_then(b.CreateICmpSLT(k.tile(), f.over_rows ? k.rows() : k.tokens()), [&] {
      RowEmitter e(k, f, k.tile());
      llvm::Value* sums = k.variable(k.splat(0.0));
      e.for_lanes(n, [&](llvm::Value* i, int64_t lanes) {
        llvm::Value* x = k.keep_lanes(e.lanes(op.operands[0], k.i64(0), i), lanes);
        k.set(sums, k.fma(x, x, k.get(sums)));
      });
      llvm::Value* mean = b.CreateFMul(k.sum_lanes(k.get(sums)), k.f32(1.0 / static_cast<double>(n)));
      llvm::Value* root =
          b.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, b.CreateFAdd(mean, k.f32(attr_real(op, "eps"))));
      llvm::Value* scale = k.splat(b.CreateFDiv(k.f32(1), root));
      e.for_lanes(n, [&](llvm::Value* i, int64_t lanes) {
        llvm::Value* w = e.lanes(op.operands[1], k.i64(0), i);
#ifndef WRONG_ON_PURPOSE
        w = b.CreateFAdd(w, k.splat(attr_real(op, "offset")));
#endif
        llvm::Value* x = b.CreateFMul(e.lanes(op.operands[0], k.i64(0), i), scale);
        e.store(op.results[0], k.i64(0), i, b.CreateFMul(x, w), lanes);
      });
    });
    k.finish();
  }
};

const UnitNorm kFamily;
const RegisterFamily kRegister(kFamily);

}  // namespace

// rms_norm(x, w) {eps, offset}   →   unit_norm(x, w) {eps, offset}
LMC_FUSION(use_unit_norm, "norms by kernels of their own")
    .after("canonicalise")
    .before("fuse-qkv")
    .summary("found {} norms")
    .match("%y = rms_norm(%x, %w) {eps=$eps, offset=$offset}")
    .when("a token has one row", "rank(%x) == 2")
    .rewrite("%y = unit_norm(%x, %w) {eps=$eps, offset=$offset}");

}  // namespace lmc
