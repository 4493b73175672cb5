// Parts of rows.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::split {
namespace {

const RegisterOp kOp(OpDef{
    .name = "split",
    .doc = "cuts the last dimension into parts of the given sizes",
    .category = OpCategory::view,
    .operands = {{"x", "[.., N] f32"}},
    .attrs = {{"axis", AttrKind::integer, int64_t{-1}, "-1, the last"},
              {"sizes", AttrKind::integers, std::nullopt, "lengths of the parts, N together"}},
    .infer =
        [](const InferArgs& a) {
          ops::require_activation(a[0], "x");
          require(a.integer("axis") == -1, "axis must be -1");
          std::vector<Type> out;
          int64_t total = 0;
          for (int64_t n : a.integers("sizes")) {
            require(n > 0 && n <= a[0].last(),
                    [&] { return "sizes must be positive and fit " + a[0].str(); });
            out.push_back(a[0]);
            out.back().dims.back() = n;
            total += n;
          }
          require(total == a[0].last() && !out.empty(), [&] {
            return "sizes add up to " + std::to_string(total) + ", not " + dim_name(a[0].last());
          });
          return out;
        },
    .eval =
        [](const EvalArgs& a) {
          std::vector<Tensor> out;
          int64_t at = 0;
          for (int64_t n : a.integers("sizes")) {
            std::vector<int64_t> dims = a[0].dims;
            dims.back() = n;
            Tensor part = make_tensor(DType::f32, dims);
            for (int64_t r = 0; r < a[0].rows(); ++r) std::copy_n(a[0].row(r) + at, n, part.row(r));
            out.push_back(std::move(part));
            at += n;
          }
          return out;
        },
});

}  // namespace
}  // namespace lmc::ops::split
