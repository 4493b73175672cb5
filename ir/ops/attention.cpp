// Causal attention over the cache, grouped heads and sliding window included.
#include "ir/ops/attention_part.h"
#include "ir/ops/common.h"

namespace lmc::ops::attention {
namespace {

const RegisterOp kOp(OpDef{
    .name = "attention",
    .doc = "softmax(scale q k^T) v over the cached positions j <= i (and j > i - window); query head h reads "
           "kv head "
           "h / (heads / kv_heads)",
    .category = OpCategory::attention,
    .operands =
        {{"q", "[T, heads, D] f32, or q8_0 for a cache in kv_q8_0"},
         {"kv", "the cache with this step appended"},
         {"pos", "[T] i32"},
         {"sinks",
          "[heads] logits that join each softmax, of a value of zeros: the weights add up to less than 1",
          true}},
    .attrs = {{"scale", AttrKind::real, std::nullopt, "factor on the scores"},
              {"window", AttrKind::integer, int64_t{0}, "positions a token sees, itself included; 0 = all"},
              {"alibi", AttrKind::real, 0.0,
               "factor on linear biases (Press et al. 2021): scores lose slope(head) * distance; 0 = off"},
              {"softcap", AttrKind::real, 0.0, "scores become cap * tanh(score / cap); 0 = off"}},
    .infer =
        [](const InferArgs& a) {
          ops::check_attention(a);
          if (a.size() > 3) ops::require_vector(a[3], a[0].dims[1], "sinks");
          return std::vector<Type>{Type{DType::f32, {a[0].dims[0], a[0].dims[1] * cache_shape(a[1]).value}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const Tensor& q = a[0];
          const int64_t heads = q.dims[1];
          const int64_t dim = a[1].dims[2] - q.dims[2];  // of a value
          Tensor y = make_tensor(DType::f32, {q.dims[0], heads * dim});
          for (int64_t t = 0; t < q.dims[0]; ++t) {
            const auto pos = static_cast<int64_t>(a[2].data[static_cast<size_t>(t)]);
            require(pos < a[1].first + a[1].dims[0],
                    [&] { return "position " + std::to_string(pos) + " is not in the cache"; });
            for (int64_t h = 0; h < heads; ++h) {
              const int64_t first = ops::oldest_seen(pos, a.integer("window"));
              ops::AttentionPart part = ops::attention_part(a, t, h, first, pos);
              if (a.size() > 3) ops::add_sink(part, a[3].data[static_cast<size_t>(h)]);
              for (int64_t i = 0; i < dim; ++i)
                y.row(t)[h * dim + i] = part.values[static_cast<size_t>(i)] / part.sum;
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc::ops::attention
