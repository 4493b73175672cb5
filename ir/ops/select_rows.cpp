// Rows whose logits are wanted.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::select_rows {
namespace {

const RegisterOp kOp(OpDef{
    .name = "select_rows",
    .doc = "y[r] = x[rows[r]]",
    .category = OpCategory::row,
    .operands = {{"x", "[T, ..] f32"}, {"rows", "[R] i32"}},
    .infer =
        [](const InferArgs& a) {
          ops::require_activation(a[0], "x");
          require(a[1].dtype == DType::i32 && a[1].rank() == 1,
                  [&] { return "rows must be i32[R], found " + a[1].str(); });
          Type y = a[0];
          y.dims[0] = a[1].dims[0];
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          std::vector<int64_t> dims = a[0].dims;
          const int64_t rows = dims[0];
          dims[0] = a[1].dims[0];
          Tensor y = make_tensor(DType::f32, dims);
          const int64_t n = rows == 0 ? 0 : static_cast<int64_t>(a[0].data.size()) / rows;
          for (int64_t r = 0; r < dims[0]; ++r) {
            const auto from = static_cast<int64_t>(a[1].data[static_cast<size_t>(r)]);
            require(from >= 0 && from < rows,
                    [&] { return "row " + std::to_string(from) + " does not exist"; });
            std::copy_n(a[0].data.begin() + from * n, n, y.data.begin() + r * n);
          }
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc::ops::select_rows
