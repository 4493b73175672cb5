// Rows of a table by index: token and position embeddings.
#include <algorithm>
#include <cmath>

#include "ir/block_format.h"
#include "ir/ops/common.h"

namespace lmc::ops::embedding {
namespace {

const RegisterOp kOp(OpDef{
    .name = "embedding",
    .doc = "y[t] = table[ids[t]]; a quantised table gives the numbers it stands for. Where a table is but a "
           "part "
           "of one, ids that it does not have give rows of -0, which change no sum",
    .category = OpCategory::row,
    .operands = {{"ids", "[T] i32"}, {"table", "[V, D]"}},
    .attrs = {{"first", AttrKind::integer, int64_t{0}, "the id of the table's first row"},
              {"of", AttrKind::integer, int64_t{0},
               "rows of the whole table, of which this is a part; 0: it is whole"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].dtype == DType::i32 && a[0].rank() == 1,
                  [&] { return "ids must be i32[T], found " + a[0].str(); });
          require((is_float(a[1].dtype) || is_quantised(a[1].dtype)) && a[1].rank() == 2 && a[1].is_static(),
                  [&] { return "the table must be [V, D], found " + a[1].str(); });
          const int64_t first = a.integer("first");
          const int64_t of = a.integer("of");
          require(of == 0 ? first == 0 : first >= 0 && first <= of && a[1].dims[0] <= of - first, [&] {
            return "rows " + std::to_string(first) + " … of " + a[1].str() + " are no part of " +
                   std::to_string(of);
          });
          return std::vector<Type>{Type{DType::f32, {a[0].dims[0], a[1].dims[1]}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const auto n = static_cast<int64_t>(a[0].data.size());
          Tensor y = make_tensor(DType::f32, {n, a[1].last()});
          for (int64_t t = 0; t < n; ++t) {
            const auto id = static_cast<int64_t>(a[0].data[static_cast<size_t>(t)]);
            const int64_t rows = a.integer("of") > 0 ? a.integer("of") : a[1].dims[0];
            require(id >= 0 && id < rows, [&] {
              return "id " + std::to_string(id) + " is outside the table of " + std::to_string(rows) +
                     " rows";
            });
            const int64_t row = id - a.integer("first");
            if (row >= 0 && row < a[1].dims[0]) {
              std::copy_n(a[1].row(row), a[1].last(), y.row(t));
            } else {
              std::fill_n(y.row(t), a[1].last(), -0.0);
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .weight_bytes =
        [](const InferArgs& a) {  // one row of the table
          return static_cast<double>(storage_bytes(a[1].dtype, a[1].last(), a[1].last()));
        },
});

}  // namespace
}  // namespace lmc::ops::embedding
