// The matrices of a stack one under the other. PyTorch keeps the taps of a depthwise convolution as a stack
// of [1, taps], one for each channel.
#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::flatten {
namespace {

const RegisterOp kOp(OpDef{
    .name = "flatten",
    .doc = "[a, b, c] as [a * b, c]",
    .category = OpCategory::weight,
    .operands = {{"x", "a weight of rank 3"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].is_static() && a[0].rank() == 3 && !is_kv(a[0].dtype),
                  [&] { return "x must be a weight of rank 3, found " + a[0].str(); });
          return std::vector<Type>{Type{a[0].dtype, {a[0].dims[0] * a[0].dims[1], a[0].dims[2]}}};
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
}  // namespace lmc::ops::flatten
