// Causal depthwise convolution over the last few tokens, as hybrids of convolution and attention have it.
#include <algorithm>

#include "ir/ops/common.h"

namespace lmc::ops::short_conv {
namespace {

constexpr int64_t kMostTaps = 64;  // kernels unroll them

const RegisterOp kOp(OpDef{
    .name = "short_conv",
    .doc =
        "each number of a row for itself: y[i] = sum of w[j, i] * row[pos - L + 1 + j, i], in the order of "
        "j, "
        "then + bias[i]; rows before the first token are 0, the last of the L taps meets the token's own row",
    .category = OpCategory::attention,
    .operands = {{"cache", "kv_f32 [span >= L, D], with this step appended"},
                 {"pos", "[T] i32"},
                 {"w", "[L, D]"},
                 {"bias", "[D]", true}},
    .infer =
        [](const InferArgs& a) {
          const CacheShape rows = ops::require_rows(a[0]);
          require(a[1].dtype == DType::i32 && a[1].rank() == 1,
                  [&] { return "pos must be i32[T], found " + a[1].str(); });
          require(a[2].rank() != 2 || a[2].dims[0] <= kMostTaps,
                  [&] { return "a short convolution has " + std::to_string(kMostTaps) + " taps at most"; });
          require(is_float(a[2].dtype) && a[2].rank() == 2 && a[2].last() == rows.value && a[2].dims[0] > 0 &&
                      a[2].dims[0] <= rows.span,
                  [&] { return "taps " + a[2].str() + " do not fit cache " + a[0].str(); });
          if (a.size() > 3) ops::require_vector(a[3], rows.value, "bias");
          return std::vector<Type>{Type{DType::f32, {a[1].dims[0], rows.value}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const Tensor& rows = a[0];
          const int64_t taps = a[2].dims[0];
          Tensor y = make_tensor(DType::f32, {a[1].dims[0], rows.last()});
          for (int64_t t = 0; t < y.dims[0]; ++t) {
            const auto pos = static_cast<int64_t>(a[1].data[static_cast<size_t>(t)]);
            require(pos < rows.first + rows.dims[0],
                    [&] { return "position " + std::to_string(pos) + " is not in the cache"; });
            for (int64_t j = 0; j < taps; ++j) {
              const int64_t from = pos - taps + 1 + j;
              if (from < rows.first) continue;
              for (int64_t i = 0; i < y.last(); ++i)
                y.row(t)[i] += a[2].row(j)[i] * rows.row(from - rows.first)[i];
            }
            for (int64_t i = 0; a.size() > 3 && i < y.last(); ++i)
              y.row(t)[i] += a[3].data[static_cast<size_t>(i)];
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 2.0 * static_cast<double>(a[2].elements()); },
});

}  // namespace
}  // namespace lmc::ops::short_conv
