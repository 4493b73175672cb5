// Layer normalisation (Ba et al. 2016), with the biased variance.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::layer_norm {
namespace {

const RegisterOp kOp(OpDef{
    .name = "layer_norm",
    .doc = "(x - mean(x)) / sqrt(var(x) + eps) * w (+ b), over the last dimension",
    .category = OpCategory::row,
    .operands = {{"x", "[.., D] f32"}, {"w", "[D]"}, {"b", "[D]", true}},
    .attrs = {{"eps", AttrKind::real, std::nullopt, "added to the variance"}},
    .infer =
        [](const InferArgs& a) {
          ops::require_activation(a[0], "x");
          ops::require_vector(a[1], a[0].last(), "w");
          if (a.size() > 2) ops::require_vector(a[2], a[0].last(), "b");
          return std::vector<Type>{a[0]};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          const int64_t n = y.last();
          for (int64_t r = 0; r < y.rows(); ++r) {
            double* row = y.row(r);
            double mean = 0;
            for (int64_t i = 0; i < n; ++i) mean += row[i] / static_cast<double>(n);
            double variance = 0;
            for (int64_t i = 0; i < n; ++i)
              variance += (row[i] - mean) * (row[i] - mean) / static_cast<double>(n);
            const double scale = 1 / std::sqrt(variance + a.real("eps"));
            for (int64_t i = 0; i < n; ++i) {
              const auto j = static_cast<size_t>(i);
              row[i] = (row[i] - mean) * scale * a[1].data[j] + (a.size() > 2 ? a[2].data[j] : 0);
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 7.0 * static_cast<double>(a[0].elements()); },
});

}  // namespace
}  // namespace lmc::ops::layer_norm
