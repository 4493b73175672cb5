// Rotation of queries and keys by position: lanes j and j + r/2 (rotate-half), or 2j and 2j + 1
// (interleaved).
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::rope {
namespace {

const RegisterOp kOp(OpDef{
    .name = "rope",
    .doc = "rotates the first r lanes of every head by the angles, lane j with lane j + r/2; the rest passes",
    .category = OpCategory::row,
    .operands = {{"x", "[T, heads, D] f32"}, {"angles", "[T, r] from rope_angles, r <= D"}},
    .attrs = {{"interleaved", AttrKind::integer, int64_t{0},
               "1: angle j turns lanes 2j and 2j + 1; 0: lanes j and j + r/2"}},
    .infer =
        [](const InferArgs& a) {
          ops::require_activation(a[0], "x");
          ops::require_activation(a[1], "angles");
          require(a[0].rank() == 3, [&] { return "x must be [T, heads, D], found " + a[0].str(); });
          require(a[1].rank() == 2 && a[1].dims[0] == a[0].dims[0] && a[1].last() <= a[0].last() &&
                      a[1].last() % 2 == 0,
                  [&] { return "angles " + a[1].str() + " do not fit " + a[0].str(); });
          const int64_t interleaved = a.integer("interleaved");
          require(interleaved == 0 || interleaved == 1, "interleaved must be 0 or 1");
          return std::vector<Type>{a[0]};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          const int64_t heads = y.dims[1];
          const int64_t half = a[1].last() / 2;
          const bool interleaved = a.integer("interleaved") == 1;
          for (int64_t r = 0; r < y.rows(); ++r) {
            const double* angle = a[1].row(r / heads);
            double* row = y.row(r);
            for (int64_t j = 0; j < half; ++j) {
              double& first = row[interleaved ? 2 * j : j];
              double& second = row[interleaved ? 2 * j + 1 : j + half];
              const double p = first;
              const double q = second;
              first = p * angle[j] - q * angle[j + half];
              second = q * angle[j] + p * angle[j + half];
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 3.0 * static_cast<double>(a[0].elements()); },
});

}  // namespace
}  // namespace lmc::ops::rope
