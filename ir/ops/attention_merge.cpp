// The second half of attention where attention_split was the first.
#include <algorithm>
#include <cmath>

#include "ir/ops/attention_part.h"
#include "ir/ops/common.h"

namespace lmc::ops::attention_merge {
namespace {

const RegisterOp kOp(OpDef{
    .name = "attention_merge",
    .doc = "the chunks that attention_split worked on, joined: weighted values over the sum of all weights",
    .category = OpCategory::row,
    .operands = {{"partials", "[T, heads, chunks, 8 + D padded to whole vectors] f32"},
                 {"pos", "[T] i32"},
                 {"sinks", "[heads] as in attention", true}},
    .attrs = {{"heads", AttrKind::integer, std::nullopt, "query heads"},
              {"dim", AttrKind::integer, std::nullopt, "D, of a value"},
              {"window", AttrKind::integer, int64_t{0}, "as in attention_split"},
              {"chunk", AttrKind::integer, std::nullopt, "as in attention_split"}},
    .infer =
        [](const InferArgs& a) {
          const int64_t dim = a.integer("dim");
          require(a[0].dtype == DType::f32 && a[0].rank() == 4 && a[0].dims[1] == a.integer("heads") &&
                      a[0].last() == 8 + (dim + 7) / 8 * 8,
                  [&] {
                    return "partials " + a[0].str() + " do not fit " + std::to_string(a.integer("heads")) +
                           " heads of " + std::to_string(dim);
                  });
          require(a[1].dtype == DType::i32 && a[1].rank() == 1 && a[1].dims[0] == a[0].dims[0], [&] {
            return "pos must be i32[" + dim_name(a[0].dims[0]) + "] like the partials, found " + a[1].str();
          });
          require(a.integer("chunk") > 0, "chunk must be positive");
          if (a.size() > 2) ops::require_vector(a[2], a.integer("heads"), "sinks");
          return std::vector<Type>{Type{DType::f32, {a[0].dims[0], a.integer("heads") * dim}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const Tensor& p = a[0];
          const int64_t heads = a.integer("heads");
          const int64_t dim = a.integer("dim");
          const int64_t chunk = a.integer("chunk");
          Tensor y = make_tensor(DType::f32, {p.dims[0], heads * dim});
          for (int64_t t = 0; t < p.dims[0]; ++t) {
            const auto pos = static_cast<int64_t>(a[1].data[static_cast<size_t>(t)]);
            const int64_t chunks = pos / chunk - ops::oldest_seen(pos, a.integer("window")) / chunk + 1;
            require(chunks <= p.dims[2],
                    [&] { return "position " + std::to_string(pos) + " is beyond the partials"; });
            for (int64_t h = 0; h < heads; ++h) {
              const auto part = [&](int64_t c) { return p.row((t * heads + h) * p.dims[2] + c); };
              const double* sink = a.size() > 2 ? &a[2].data[static_cast<size_t>(h)] : nullptr;
              double best = sink ? *sink : part(0)[0];
              for (int64_t c = 0; c < chunks; ++c) best = std::max(best, part(c)[0]);
              double sum = sink ? std::exp(*sink - best) : 0;
              double* out = y.row(t) + h * dim;
              for (int64_t c = 0; c < chunks; ++c) {
                const double weight = std::exp(part(c)[0] - best);
                sum += weight * part(c)[1];
                for (int64_t i = 0; i < dim; ++i) out[i] += weight * part(c)[8 + i];
              }
              for (int64_t i = 0; i < dim; ++i) out[i] /= sum;
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc::ops::attention_merge
