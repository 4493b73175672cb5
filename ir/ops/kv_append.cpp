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
    .operands = {{"kv", "kv_f16, kv_f32 or kv_q8_0 [span, kv_heads, D]"},
                 {"k", "[T, kv_heads, D] f32"},
                 {"v", "[T, kv_heads, D] f32"},
                 {"pos", "[T] i32"}},
    .updates = 0,
    .infer =
        [](const InferArgs& a) {
          require(is_kv(a[0].dtype) && a[0].rank() == 3,
                  [&] { return "kv must be a cache, found " + a[0].str(); });
          for (size_t i : {size_t{1}, size_t{2}}) {
            ops::require_activation(a[i], i == 1 ? "k" : "v");
            require(a[i].rank() == 3 && a[i].dims[1] == a[0].dims[1] && a[i].dims[2] == a[0].dims[2],
                    [&] { return a[i].str() + " does not fit cache " + a[0].str(); });
            require(a[i].dims[0] == a[1].dims[0], "k and v are of different tokens");
          }
          require(a[3].dtype == DType::i32 && a[3].rank() == 1 && a[3].dims[0] == a[1].dims[0], [&] {
            return "pos must be i32[" + dim_name(a[1].dims[0]) + "] like k, found " + a[3].str();
          });
          return std::vector<Type>{a[0]};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor kv = a[0];
          const int64_t row = kv.dims[2] * kv.dims[3];
          const int64_t tokens = a[3].dims[0];
          for (int64_t t = 0; t < tokens; ++t) {
            const auto pos = static_cast<int64_t>(a[3].data[static_cast<size_t>(t)]);
            const int64_t next = kv.first + kv.dims[0];
            require(pos == next, [&] {
              return "position " + std::to_string(pos) + " does not follow a cache of " +
                     std::to_string(next);
            });
            for (const Tensor* part : {&a[1], &a[2]}) {
              const double* from = part->data.data() + t * row;
              kv.data.insert(kv.data.end(), from, from + row);
              for (int64_t head = 0; head < kv.dims[2]; ++head)
                store(kv.data.data() + kv.data.size() - row + head * kv.dims[3], kv.dims[3], kv.dtype);
            }
            ++kv.dims[0];
          }
          return std::vector<Tensor>{std::move(kv)};
        },
});

}  // namespace
}  // namespace lmc::ops::kv_append
