// An op on weights that nobody needs. This file is all that lmc has of it: the numbers are those of the
// operand, elsewhere, so it says where.
#include <algorithm>

#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::made_up_backwards {
namespace {

const RegisterOp kOp(OpDef{
    .name = "backwards",
    .doc = "rows from the last to the first",
    .category = OpCategory::weight,
    .operands = {{"x", "a weight of rank 2"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].is_static() && a[0].rank() == 2, "x must be a matrix of weights, found " + a[0].str());
          return std::vector<Type>{a[0]};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          for (int64_t r = 0; r < y.rows(); ++r) std::copy_n(a[0].row(y.rows() - 1 - r), y.last(), y.row(r));
          return std::vector<Tensor>{std::move(y)};
        },
    .view =
        [](const ViewArgs& a) {
          Positions rows;
          for (int64_t r = a.type.dims[0]; r-- > 0;) rows.add(r, 1);
          return a.in[0]->pick_rows(rows);
        },
});

}  // namespace
}  // namespace lmc::made_up_backwards
