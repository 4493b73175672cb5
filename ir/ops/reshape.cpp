// Another shape for the same rows.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::reshape {
namespace {

const RegisterOp kOp(OpDef{
    .name = "reshape",
    .doc = "the same numbers; the first dimension (tokens) stays, the rest becomes `shape`",
    .category = OpCategory::view,
    .operands = {{"x", "[T, ..] f32"}},
    .attrs = {{"shape", AttrKind::integers, std::nullopt, "dimensions behind the first"}},
    .infer =
        [](const InferArgs& a) {
          ops::require_activation(a[0], "x");
          Type y{DType::f32, {a[0].dims[0]}};
          double before = 1;
          double after = 1;
          for (size_t i = 1; i < a[0].dims.size(); ++i) before *= static_cast<double>(a[0].dims[i]);
          for (int64_t d : a.integers("shape")) {
            require(d > 0, "dimensions must be positive");
            after *= static_cast<double>(d);
            y.dims.push_back(d);
          }
          require(before == after,
                  [&] { return "a row of " + a[0].str() + " does not fit shape " + y.str(); });
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          y.dims.resize(1);
          for (int64_t d : a.integers("shape")) y.dims.push_back(d);
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc::ops::reshape
