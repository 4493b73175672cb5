// Weights one after the other.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::concat {
namespace {

const RegisterOp kOp(OpDef{
    .name = "concat",
    .doc = "operands joined along an axis",
    .category = OpCategory::weight,
    .operands = {{"parts", "tensors that agree but for the axis", false, true}},
    .attrs = {{"axis", AttrKind::integer, int64_t{0}, "0 or 1; 2 of stacks"}},
    .infer =
        [](const InferArgs& a) {
          Type y = a[0];
          const int64_t axis = a.integer("axis");
          require(y.is_static(), [&] { return "only weights can be joined, found " + y.str(); });
          require(axis >= 0 && axis < y.rank(),
                  [&] { return "axis " + std::to_string(axis) + " does not exist in " + y.str(); });
          require(!is_quantised(y.dtype) || axis == 0 || axis < y.rank() - 1,
                  "quantised weights can be joined by rows only");
          const auto i = static_cast<size_t>(axis);
          y.dims[i] = 0;
          for (const Type& t : a.types) {
            Type rest = t;
            require(t.rank() == y.rank(), [&] { return t.str() + " does not fit " + a[0].str(); });
            rest.dims[i] = 0;
            Type want = y;
            want.dims[i] = 0;
            require(rest == want, [&] { return t.str() + " does not fit " + a[0].str(); });
            y.dims[i] += t.dims[i];
          }
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = make_tensor(a[0].dtype, a.result_types[0].dims);
          // For each place along the dimensions in front of the axis, what each part has there.
          int64_t places = 1;
          for (int64_t i = 0; i < a.integer("axis"); ++i) places *= y.dims[static_cast<size_t>(i)];
          auto at = y.data.begin();
          for (int64_t place = 0; place < places; ++place) {
            for (const Tensor* part : a.in) {
              const int64_t run = static_cast<int64_t>(part->data.size()) / places;
              at = std::copy_n(part->data.begin() + place * run, run, at);
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .view =
        [](const ViewArgs& a) {
          const int64_t axis = a.integer("axis");
          if (axis + 1 == a.type.rank()) return WeightView::beside(a.in);
          if (axis == 0) return WeightView::below(a.in);
          // Within each matrix of stacks: its rows of the first, of the second, …
          std::vector<WeightView> cut;
          for (int64_t i = 0; i < a.type.dims[0]; ++i) {
            for (const WeightView* part : a.in) {
              const int64_t rows = part->rows() / a.type.dims[0];
              cut.push_back(part->pick_rows(Positions::range(i * rows, rows)));
            }
          }
          std::vector<const WeightView*> parts;
          for (const WeightView& part : cut) parts.push_back(&part);
          return WeightView::below(parts);
        },
});

}  // namespace
}  // namespace lmc::ops::concat
