// A dimension of one fewer: PyTorch keeps the taps of a depthwise convolution as [channels, 1, taps].
#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::squeeze {
namespace {

const RegisterOp kOp(OpDef{
    .name = "squeeze",
    .doc = "[a, 1, b] as [a, b]",
    .category = OpCategory::weight,
    .operands = {{"x", "a weight of rank 3"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].is_static() && a[0].rank() == 3 && a[0].dims[1] == 1 && !is_quantised(a[0].dtype),
                  [&] { return "x must be an unquantised weight [a, 1, b], found " + a[0].str(); });
          return std::vector<Type>{Type{a[0].dtype, {a[0].dims[0], a[0].dims[2]}}};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          y.dims = a.result_types[0].dims;
          return std::vector<Tensor>{std::move(y)};
        },
    .view = [](const ViewArgs& a) { return *a.in[0]; },
});

}  // namespace
}  // namespace lmc::ops::squeeze
