// A part of a weight.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc {
namespace {

const RegisterOp kOp(OpDef{
    .name = "slice",
    .doc = "rows (axis 0) or columns (axis 1) start … start + size - 1",
    .shape = OpShape::weight,
    .operands = {{"x", "a weight of rank 1 or 2"}},
    .attrs = {{"axis", AttrKind::integer, int64_t{0}, "0 or 1"},
              {"start", AttrKind::integer, std::nullopt, "the first"},
              {"size", AttrKind::integer, std::nullopt, "how many"}},
    .infer =
        [](const InferArgs& a) {
          Type y = a[0];
          const int64_t axis = a.integer("axis");
          require(y.is_static() && y.rank() <= 2, "only weights can be sliced, found " + y.str());
          require(axis >= 0 && axis < y.rank(),
                  "axis " + std::to_string(axis) + " does not exist in " + y.str());
          require(y.dtype != DType::q8_0 || axis == 0, "quantised weights can be cut by rows only");
          int64_t& n = y.dims[static_cast<size_t>(axis)];
          const int64_t start = a.integer("start");
          const int64_t size = a.integer("size");
          require(start >= 0 && size > 0 && start <= n && size <= n - start,
                  "[" + std::to_string(start) + ", +" + std::to_string(size) + ") lies outside axis " +
                      std::to_string(axis) + " of " + a[0].str());
          n = size;
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = make_tensor(a[0].dtype, a.result_types[0].dims);
          const bool columns = a.integer("axis") == 1 || a[0].dims.size() == 1;
          const int64_t start = a.integer("start");
          for (int64_t r = 0; r < y.rows(); ++r) {
            const double* from = columns ? a[0].row(r) + start : a[0].row(r + start);
            std::copy_n(from, y.last(), y.row(r));
          }
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc
