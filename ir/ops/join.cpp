// Parts of rows side by side: what split takes apart.
#include <algorithm>

#include "ir/ops/common.h"

namespace lmc::ops::join {
namespace {

const RegisterOp kOp(OpDef{
    .name = "join",
    .doc =
        "operands one behind the other along the last dimension; of rows of heads, what has one head stands "
        "with each of the others'",
    .category = OpCategory::row,
    .operands = {{"parts", "[T, N] f32, or [T, heads, N] with one or all heads", false, true}},
    .infer =
        [](const InferArgs& a) {
          Type y = a[0];
          int64_t width = 0;
          for (const Type& t : a.types) {
            ops::require_activation(t, "a part");
            require(t.rank() == y.rank() && (t.rank() == 2 || t.rank() == 3) && t.dims[0] == y.dims[0],
                    [&] { return t.str() + " does not fit " + a[0].str(); });
            width += t.last();
            if (t.rank() == 3) y.dims[1] = std::max(y.dims[1], t.dims[1]);
          }
          for (const Type& t : a.types) {
            require(t.rank() == 2 || t.dims[1] == 1 || t.dims[1] == y.dims[1],
                    [&] { return t.str() + " has neither one head nor " + std::to_string(y.dims[1]); });
          }
          y.dims.back() = width;
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          std::vector<int64_t> dims = a[0].dims;
          dims.back() = a.result_types[0].last();
          if (dims.size() == 3) dims[1] = a.result_types[0].dims[1];
          Tensor y = make_tensor(DType::f32, dims);
          for (int64_t r = 0; r < y.rows(); ++r) {
            double* to = y.row(r);
            for (const Tensor* part : a.in)
              to = std::copy_n(part->row(r * part->rows() / y.rows()), part->last(), to);
          }
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc::ops::join
