// Keys and values of new tokens join the cache, in place.
#include "ir/block_format.h"
#include "ir/ops/common.h"

namespace lmc::ops::kv_append {
namespace {

// The key or the value of a head, rounded to the cache's format.
void store(double* row, int64_t dim, DType dtype) {
  if (dtype == DType::kv_q8_0) round_row(block_format(DType::q8_0), row, dim);
  if (dtype != DType::kv_f16) return;
  for (double* v = row; v < row + dim; ++v)
    *v = static_cast<double>(f16_to_f32(f32_to_f16(static_cast<float>(*v))));
}

const RegisterOp kOp(OpDef{
    .name = "kv_append",
    .doc = "the cache with keys and values of positions pos added, rounded to the cache's format; in "
           "kv_q8_0 those of each head are blocks of 32 as int8 times one f16 scale, as quantize makes them",
    .category = OpCategory::row,
    .operands = {{"kv", "kv_f16, kv_f32 or kv_q8_0 [span, kv_heads, D], or [span, kv_heads, K, V]"},
                 {"k", "[T, kv_heads, D or K] f32"},
                 {"v", "[T, kv_heads, D or V] f32"},
                 {"pos", "[T] i32"}},
    .updates = 0,
    .infer =
        [](const InferArgs& a) {
          const CacheShape cache = ops::require_keys(a[0]);
          for (size_t i : {size_t{1}, size_t{2}}) {
            ops::require_activation(a[i], i == 1 ? "k" : "v");
            require(a[i].rank() == 3 && a[i].dims[1] == cache.heads &&
                        a[i].dims[2] == (i == 1 ? cache.key : cache.value),
                    [&] { return a[i].str() + " does not fit cache " + a[0].str(); });
            require(a[i].dims[0] == a[1].dims[0], "k and v are of different tokens");
          }
          ops::require_positions(a[3], a[1], "k");
          return std::vector<Type>{a[0]};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor kv = a[0];
          const int64_t tokens = a[3].dims[0];
          for (int64_t t = 0; t < tokens; ++t) {
            ops::require_next(kv, a[3].data[static_cast<size_t>(t)]);
            for (int64_t head = 0; head < kv.dims[1]; ++head) {
              for (const Tensor* part : {&a[1], &a[2]}) {
                const double* from = part->row(t * kv.dims[1] + head);
                kv.data.insert(kv.data.end(), from, from + part->last());
                store(kv.data.data() + kv.data.size() - part->last(), part->last(), kv.dtype);
              }
            }
            ++kv.dims[0];
          }
          return std::vector<Tensor>{std::move(kv)};
        },
});

}  // namespace
}  // namespace lmc::ops::kv_append
