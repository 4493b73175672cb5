// What the experts of a token made, as one row again.
#include "ir/ops/common.h"

namespace lmc::ops::weighted_sum {
namespace {

const RegisterOp kOp(OpDef{
    .name = "weighted_sum",
    .doc = "y[t, n] = sum over j of weights[t, j] * x[t, j, n], j in order",
    .category = OpCategory::row,
    .operands = {{"x", "[T, J, N] f32"}, {"weights", "[T, J] f32"}},
    .infer =
        [](const InferArgs& a) {
          ops::require_activation(a[0], "x");
          require(a[0].rank() == 3, [&] { return "x must be [T, J, N], found " + a[0].str(); });
          const Type weights{DType::f32, {a[0].dims[0], a[0].dims[1]}};
          require(a[1] == weights,
                  [&] { return "weights must be " + weights.str() + " like x, found " + a[1].str(); });
          return std::vector<Type>{Type{DType::f32, {a[0].dims[0], a[0].dims[2]}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const Tensor& x = a[0];
          Tensor y = make_tensor(DType::f32, {x.dims[0], x.dims[2]});
          for (int64_t r = 0; r < x.rows(); ++r) {
            double* sums = y.row(r / x.dims[1]);
            for (int64_t n = 0; n < x.last(); ++n) sums[n] += a[1].data[static_cast<size_t>(r)] * x.row(r)[n];
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 2.0 * static_cast<double>(a[0].elements()); },
});

}  // namespace
}  // namespace lmc::ops::weighted_sum
