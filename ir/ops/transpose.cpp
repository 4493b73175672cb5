// Rows become columns: GPT-2's Conv1D keeps [in, out].
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::transpose {
namespace {

const RegisterOp kOp(OpDef{
    .name = "transpose",
    .doc = "[a, b] as [b, a]",
    .category = OpCategory::weight,
    .operands = {{"x", "a weight of rank 2"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].is_static() && a[0].rank() == 2 && !is_quantised(a[0].dtype),
                  [&] { return "x must be an unquantised matrix, found " + a[0].str(); });
          return std::vector<Type>{Type{a[0].dtype, {a[0].dims[1], a[0].dims[0]}}};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = make_tensor(a[0].dtype, a.result_types[0].dims);
          for (int64_t r = 0; r < y.dims[0]; ++r) {
            for (int64_t c = 0; c < y.dims[1]; ++c) y.row(r)[c] = a[0].row(c)[r];
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .view = [](const ViewArgs& a) { return a.in[0]->transposed(); },
});

}  // namespace
}  // namespace lmc::ops::transpose
