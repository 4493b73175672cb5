// Weights of one shape under one name: the experts of a layer.
#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::stack {
namespace {

const RegisterOp kOp(OpDef{
    .name = "stack",
    .doc = "weights of one type, one behind the other along a new first dimension",
    .category = OpCategory::weight,
    .operands = {{"parts", "[N, K] each", false, true}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].is_static() && a[0].rank() == 2,
                  [&] { return "only matrices can be stacked, found " + a[0].str(); });
          for (const Type& t : a.types)
            require(t == a[0], [&] { return t.str() + " does not fit " + a[0].str(); });
          return std::vector<Type>{
              Type{a[0].dtype, {static_cast<int64_t>(a.size()), a[0].dims[0], a[0].dims[1]}}};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y{a[0].dtype, a.result_types[0].dims, {}};
          for (const Tensor* part : a.in) y.data.insert(y.data.end(), part->data.begin(), part->data.end());
          return std::vector<Tensor>{std::move(y)};
        },
    .view = [](const ViewArgs& a) { return WeightView::below(a.in); },
});

}  // namespace
}  // namespace lmc::ops::stack
