// The first half of attention where chunks of the cache are worked on apart; attention_merge is the second.
#include <algorithm>

#include "ir/ops/attention_part.h"

namespace lmc::ops::attention_split {
namespace {

constexpr int64_t kHeader = 8;  // maximum, sum, 6 unused

const RegisterOp kOp(OpDef{
    .name = "attention_split",
    .doc = "attention over each chunk of the cache for itself: per head and chunk the maximum of the scores, "
           "the "
           "sum of exp(score - maximum), 6 unused, and the values weighted with it, padded to whole vectors",
    .category = OpCategory::attention,
    .operands = {{"q", "[T, heads, D] f32, or q8_0 for a cache in kv_q8_0"},
                 {"kv", "the cache with this step appended"},
                 {"pos", "[T] i32"}},
    .attrs = {{"scale", AttrKind::real, std::nullopt, "factor on the scores"},
              {"window", AttrKind::integer, int64_t{0}, "positions a token sees, itself included; 0 = all"},
              {"alibi", AttrKind::real, 0.0,
               "factor on linear biases (Press et al. 2021): scores lose slope(head) * distance; 0 = off"},
              {"softcap", AttrKind::real, 0.0, "scores become cap * tanh(score / cap); 0 = off"},
              {"chunk", AttrKind::integer, std::nullopt,
               "positions per chunk; chunks begin at multiples of it"},
              {"chunks", AttrKind::integer, std::nullopt, "most chunks a token sees"},
              {"splits", AttrKind::integer, int64_t{1}, "tiles that share the chunks of a kv head"}},
    .infer =
        [](const InferArgs& a) {
          ops::check_attention(a);
          require(a.integer("chunk") > 0 && a.integer("chunks") > 0 && a.integer("splits") > 0,
                  "chunk, chunks and splits must be positive");
          const int64_t padded = (cache_shape(a[1]).value + 7) / 8 * 8;
          return std::vector<Type>{
              Type{DType::f32, {a[0].dims[0], a[0].dims[1], a.integer("chunks"), kHeader + padded}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const Tensor& q = a[0];
          const int64_t heads = q.dims[1];
          const int64_t chunk = a.integer("chunk");
          const int64_t chunks = a.integer("chunks");
          const int64_t width = a.result_types[0].last();
          Tensor y = make_tensor(DType::f32, {q.dims[0], heads, chunks, width});
          for (int64_t t = 0; t < q.dims[0]; ++t) {
            const auto pos = static_cast<int64_t>(a[2].data[static_cast<size_t>(t)]);
            require(pos < a[1].first + a[1].dims[0],
                    [&] { return "position " + std::to_string(pos) + " is not in the cache"; });
            const int64_t oldest = ops::oldest_seen(pos, a.integer("window"));
            require(pos / chunk - oldest / chunk < chunks, [&] {
              return "position " + std::to_string(pos) + " sees more than " + std::to_string(chunks) +
                     " chunks";
            });
            for (int64_t h = 0; h < heads; ++h) {
              for (int64_t c = oldest / chunk; c <= pos / chunk; ++c) {
                const ops::AttentionPart part = ops::attention_part(a, t, h, std::max(oldest, c * chunk),
                                                                    std::min(pos, (c + 1) * chunk - 1));
                double* out = y.data.data() + ((t * heads + h) * chunks + c - oldest / chunk) * width;
                out[0] = part.maximum;
                out[1] = part.sum;
                std::copy(part.values.begin(), part.values.end(), out + kHeader);
              }
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc::ops::attention_split
