// Rows of new tokens join a cache of rows, in place.
#include "ir/ops/common.h"

namespace lmc::ops::rows_append {
namespace {

const RegisterOp kOp(OpDef{
    .name = "rows_append",
    .doc = "the cache with rows of positions pos added, as they are: the state of what looks back on a few "
           "tokens (short_conv)",
    .category = OpCategory::row,
    .operands = {{"cache", "kv_f32 [span, D]"}, {"x", "[T, D] f32"}, {"pos", "[T] i32"}},
    .updates = 0,
    .infer =
        [](const InferArgs& a) {
          ops::require_rows(a[0]);
          ops::require_activation(a[1], "x");
          require(a[1].rank() == 2 && a[1].last() == a[0].last(),
                  [&] { return a[1].str() + " does not fit cache " + a[0].str(); });
          ops::require_positions(a[2], a[1], "x");
          return std::vector<Type>{a[0]};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor rows = a[0];
          for (int64_t t = 0; t < a[2].dims[0]; ++t) {
            ops::require_next(rows, a[2].data[static_cast<size_t>(t)]);
            rows.data.insert(rows.data.end(), a[1].row(t), a[1].row(t) + a[1].last());
            ++rows.dims[0];
          }
          return std::vector<Tensor>{std::move(rows)};
        },
});

}  // namespace
}  // namespace lmc::ops::rows_append
