// Root mean square normalisation (Zhang, Sennrich 2019), over the last dimension.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::rms_norm {
namespace {

const RegisterOp kOp(OpDef{
    .name = "rms_norm",
    .doc = "x / sqrt(mean(x^2) + eps) * (w + offset), over the last dimension",
    .category = OpCategory::row,
    .operands = {{"x", "[.., D] f32"}, {"w", "[D]"}},
    .attrs = {{"eps", AttrKind::real, std::nullopt, "added to the mean square"},
              {"offset", AttrKind::real, 0.0, "added to the weight: 1 where a model multiplies by 1 + w"}},
    .infer =
        [](const InferArgs& a) {
          ops::require_activation(a[0], "x");
          ops::require_vector(a[1], a[0].last(), "w");
          return std::vector<Type>{a[0]};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          const int64_t n = y.last();
          for (int64_t r = 0; r < y.rows(); ++r) {
            double* row = y.row(r);
            double squares = 0;
            for (int64_t i = 0; i < n; ++i) squares += row[i] * row[i];
            const double scale = 1 / std::sqrt(squares / static_cast<double>(n) + a.real("eps"));
            for (int64_t i = 0; i < n; ++i)
              row[i] *= scale * (a[1].data[static_cast<size_t>(i)] + a.real("offset"));
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 4.0 * static_cast<double>(a[0].elements()); },
});

}  // namespace
}  // namespace lmc::ops::rms_norm
