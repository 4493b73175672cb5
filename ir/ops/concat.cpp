// Weights one after the other.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc {
namespace {

const RegisterOp kOp(OpDef{
    .name = "concat",
    .doc = "operands joined along an axis",
    .shape = OpShape::weight,
    .operands = {{"parts", "tensors that agree but for the axis", false, true}},
    .attrs = {{"axis", AttrKind::integer, int64_t{0}, "0 or 1"}},
    .infer =
        [](const InferArgs& a) {
          Type y = a[0];
          const int64_t axis = a.integer("axis");
          require(y.is_static(), "only weights can be joined, found " + y.str());
          require(axis >= 0 && axis < y.rank(),
                  "axis " + std::to_string(axis) + " does not exist in " + y.str());
          require(y.dtype != DType::q8_0 || axis == 0, "quantised weights can be joined by rows only");
          const auto i = static_cast<size_t>(axis);
          y.dims[i] = 0;
          for (const Type& t : a.types) {
            Type rest = t;
            require(t.rank() == y.rank(), t.str() + " does not fit " + a[0].str());
            rest.dims[i] = 0;
            Type want = y;
            want.dims[i] = 0;
            require(rest == want, t.str() + " does not fit " + a[0].str());
            y.dims[i] += t.dims[i];
          }
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = make_tensor(a[0].dtype, a.result_types[0].dims);
          const bool rows = a.integer("axis") == 0;
          int64_t at = 0;
          for (const Tensor* part : a.in) {
            if (rows) {
              std::copy(part->data.begin(), part->data.end(), y.data.begin() + at);
              at += static_cast<int64_t>(part->data.size());
            } else {
              for (int64_t r = 0; r < part->rows(); ++r)
                std::copy_n(part->row(r), part->last(), y.row(r) + at);
              at += part->last();
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc
