// A projection whose weight is chosen per token: a mixture of experts.
#include <algorithm>

#include "ir/block_format.h"
#include "ir/ops/common.h"

namespace lmc::ops::linear_experts {
namespace {

// Of a token; of a part of the experts, those that it has of them if all are chosen equally often.
double chosen(const InferArgs& a) {
  const auto here = static_cast<double>(a[1].dims[0]);
  const auto of = static_cast<double>(a.integer("of"));
  return static_cast<double>(a[2].last()) * (of > 0 ? here / of : 1);
}

const RegisterOp kOp(OpDef{
    .name = "linear_experts",
    .doc =
        "y[t, j, n] = sum over k of x[t, k] * w[ids[t, j], n, k] (+ b[ids[t, j], n]); x[t, j, k] if x has "
        "rows for each j. "
        "Only the weights of the experts chosen are read. Where the stack is but a part of one, experts that "
        "it does not have give rows of 0, without a bias",
    .category = OpCategory::contraction,
    .operands = {{"x", "[T, K] or [T, chosen, K] f32, or q8_0 if w is quantised"},
                 {"w", "[experts, N, K]"},
                 {"ids", "[T, chosen] i32: the experts of each token"},
                 {"b", "[experts, N] added to the outputs", true}},
    .attrs = {{"role", AttrKind::text, std::string(), "what the projection is for: ffn_gate, ffn_down, …"},
              {"first", AttrKind::integer, int64_t{0}, "the expert whose matrix is the stack's first"},
              {"of", AttrKind::integer, int64_t{0},
               "experts in all, of which the stack has a part; 0: it has all"}},
    .infer =
        [](const InferArgs& a) {
          const Type& x = a[0];
          const Type& w = a[1];
          const Type& ids = a[2];
          require(w.rank() == 3 && w.is_static(),
                  [&] { return "the weight must be [experts, rows, columns], found " + w.str(); });
          const int64_t first = a.integer("first");
          const int64_t of = a.integer("of");
          require(of == 0 ? first == 0 : first >= 0 && first <= of && w.dims[0] <= of - first, [&] {
            return "experts " + std::to_string(first) + " … of " + w.str() + " are no part of " +
                   std::to_string(of);
          });
          require(ids.dtype == DType::i32 && ids.rank() == 2 && ids.last() > 0,
                  [&] { return "ids must be i32 [T, chosen], found " + ids.str(); });
          std::vector<int64_t> rows = ids.dims;
          if (x.rank() == 2) rows.pop_back();
          rows.push_back(w.last());
          require(x.dims == rows, [&] {
            return "expected x of [" + dim_name(ids.dims[0]) + ", " + dim_name(w.last()) + "], or with " +
                   dim_name(ids.last()) + " rows for each token, found " + x.str();
          });
          ops::require_product(x, w);
          require(a.size() < 4 ||
                      (is_float(a[3].dtype) && a[3].dims == std::vector<int64_t>{w.dims[0], w.dims[1]}),
                  [&] {
                    return "the bias must be [" + dim_name(w.dims[0]) + ", " + dim_name(w.dims[1]) +
                           "], found " + (a.size() < 4 ? "" : a[3].str());
                  });
          return std::vector<Type>{Type{DType::f32, {ids.dims[0], ids.dims[1], w.dims[1]}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const Tensor& x = a[0];
          const Tensor& w = a[1];
          const Tensor& ids = a[2];
          const int64_t rows = w.dims[1];
          const int64_t experts = a.integer("of") > 0 ? a.integer("of") : w.dims[0];
          Tensor y = make_tensor(DType::f32, {ids.dims[0], ids.dims[1], rows});
          for (int64_t r = 0; r < y.rows(); ++r) {
            const auto id = static_cast<int64_t>(ids.data[static_cast<size_t>(r)]);
            require(id >= 0 && id < experts, [&] {
              return "expert " + std::to_string(id) + " is none of " + std::to_string(experts);
            });
            const int64_t expert = id - a.integer("first");
            if (expert < 0 || expert >= w.dims[0]) continue;  // elsewhere: its row stays 0
            const double* from = x.row(x.dims.size() == 2 ? r / ids.last() : r);
            for (int64_t n = 0; n < rows; ++n) {
              const double* weights = w.row(expert * rows + n);
              double sum = 0;
              for (int64_t k = 0; k < w.last(); ++k) sum += from[k] * weights[k];
              y.row(r)[n] = sum + (a.size() > 3 ? a[3].row(expert)[n] : 0);
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops =
        [](const InferArgs& a) { return 2 * chosen(a) * static_cast<double>(a[1].dims[1] * a[1].dims[2]); },
    .weight_bytes =
        [](const InferArgs& a) {
          const Type& w = a[1];
          return std::min(chosen(a), static_cast<double>(w.dims[0])) *
                 static_cast<double>(storage_bytes(w.dtype, w.dims[1] * w.dims[2], w.last()));
        },
});

}  // namespace
}  // namespace lmc::ops::linear_experts
