// A product of two weights: b · a of a low-rank adapter, which is added to the weight it adapts.
#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::matmul {
namespace {

const RegisterOp kOp(OpDef{
    .name = "matmul",
    .doc = "y[n, k] = sum over r of b[n, r] * a[r, k], of weights",
    .category = OpCategory::weight,
    .operands = {{"b", "[N, R] f32"}, {"a", "[R, K] f32"}},
    .infer =
        [](const InferArgs& a) {
          for (const Type& t : a.types) {
            require(t.is_static() && t.rank() == 2 && t.dtype == DType::f32,
                    [&] { return "only f32 matrices of weights can be multiplied, found " + t.str(); });
          }
          require(a[0].dims[1] == a[1].dims[0],
                  [&] { return "the columns of " + a[0].str() + " are not the rows of " + a[1].str(); });
          return std::vector<Type>{Type{DType::f32, {a[0].dims[0], a[1].dims[1]}}};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = make_tensor(DType::f32, {a[0].dims[0], a[1].dims[1]});
          for (int64_t n = 0; n < y.dims[0]; ++n) {
            double* sums = y.row(n);
            for (int64_t r = 0; r < a[1].dims[0]; ++r) {
              const double b = a[0].row(n)[r];
              const double* row = a[1].row(r);
              for (int64_t k = 0; k < y.dims[1]; ++k) sums[k] += b * row[k];
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .tiles =
        [](const WeightTile& t, const std::vector<Type>& types) {
          const Positions between = Positions::range(0, types[1].dims[0]);
          return std::vector<WeightTile>{{t.rows, between}, {between, t.columns}};
        },
});

}  // namespace
}  // namespace lmc::ops::matmul
