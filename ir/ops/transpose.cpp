// Rows become columns: GPT-2's Conv1D keeps [in, out].
#include <algorithm>
#include <utility>

#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::transpose {
namespace {

const RegisterOp kOp(OpDef{
    .name = "transpose",
    .doc = "[a, b] as [b, a]; of a stack each matrix: [n, a, b] as [n, b, a]",
    .category = OpCategory::weight,
    .operands = {{"x", "a weight of rank 2 or 3"}},
    .infer =
        [](const InferArgs& a) {
          Type y = a[0];
          require(y.is_static() && (y.rank() == 2 || y.rank() == 3) && !is_quantised(y.dtype),
                  [&] { return "x must be an unquantised matrix or a stack of them, found " + a[0].str(); });
          std::swap(y.dims[y.dims.size() - 1], y.dims[y.dims.size() - 2]);
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = make_tensor(a[0].dtype, a.result_types[0].dims);
          const int64_t rows = a[0].last();  // of each matrix
          for (int64_t r = 0; r < y.rows(); ++r) {
            for (int64_t c = 0; c < y.last(); ++c) y.row(r)[c] = a[0].row(r / rows * y.last() + c)[r % rows];
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .view =
        [](const ViewArgs& a) {
          if (a.type.rank() == 2) return a.in[0]->transposed();
          std::vector<WeightView> turned;
          const int64_t rows = a.type.last();  // of each matrix of the operand
          for (int64_t i = 0; i < a.type.dims[0]; ++i)
            turned.push_back(a.in[0]->pick_rows(Positions::range(i * rows, rows)).transposed());
          std::vector<const WeightView*> parts;
          for (const WeightView& part : turned) parts.push_back(&part);
          return WeightView::below(parts);
        },
});

}  // namespace
}  // namespace lmc::ops::transpose
