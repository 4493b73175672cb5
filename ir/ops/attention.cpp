// Causal attention over the cache, grouped heads and sliding window included.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc {
namespace {

const RegisterOp kOp(OpDef{
    .name = "attention",
    .doc = "softmax(scale q k^T) v over the cached positions j <= i (and j > i - window); query head h reads "
           "kv head "
           "h / (heads / kv_heads)",
    .shape = OpShape::attention,
    .operands = {{"q", "[T, heads, D] f32"}, {"kv", "the cache with this step appended"}, {"pos", "[T] i32"}},
    .attrs = {{"scale", AttrKind::real, std::nullopt, "factor on the scores"},
              {"window", AttrKind::integer, int64_t{0}, "positions a token sees, itself included; 0 = all"},
              {"softcap", AttrKind::real, 0.0, "scores become cap * tanh(score / cap); 0 = off"}},
    .infer =
        [](const InferArgs& a) {
          ops::require_activation(a[0], "q");
          require(is_kv(a[1].dtype) && a[1].rank() == 3, "kv must be a cache, found " + a[1].str());
          require(a[0].rank() == 3 && a[0].dims[2] == a[1].dims[2] && a[1].dims[1] > 0 &&
                      a[0].dims[1] % a[1].dims[1] == 0,
                  "queries " + a[0].str() + " do not fit cache " + a[1].str());
          require(a[2].dtype == DType::i32 && a[2].rank() == 1, "pos must be i32[T], found " + a[2].str());
          const int64_t window = a.integer("window");
          require(window >= 0 && window <= a[1].dims[0],
                  "window " + std::to_string(window) + " is wider than cache " + a[1].str());
          require(a.real("softcap") >= 0, "softcap must not be negative");
          return std::vector<Type>{Type{DType::f32, {a[0].dims[0], a[0].dims[1] * a[0].dims[2]}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const Tensor& q = a[0];
          const Tensor& kv = a[1];
          const int64_t heads = q.dims[1];
          const int64_t dim = q.dims[2];
          const int64_t kv_heads = kv.dims[2];
          const int64_t window = a.integer("window");
          const double cap = a.real("softcap");
          Tensor y = make_tensor(DType::f32, {q.dims[0], heads * dim});
          for (int64_t t = 0; t < q.dims[0]; ++t) {
            const auto pos = static_cast<int64_t>(a[2].data[static_cast<size_t>(t)]);
            require(pos < kv.dims[0], "position " + std::to_string(pos) + " is not in the cache");
            const int64_t first = window > 0 ? std::max<int64_t>(0, pos - window + 1) : 0;
            for (int64_t h = 0; h < heads; ++h) {
              const int64_t g = h / (heads / kv_heads);
              const double* query = q.row(t * heads + h);
              std::vector<double> p;
              double best = -1e300;
              for (int64_t j = first; j <= pos; ++j) {
                const double* key = kv.data.data() + ((j * 2) * kv_heads + g) * dim;
                double s = 0;
                for (int64_t i = 0; i < dim; ++i) s += query[i] * key[i];
                s *= a.real("scale");
                if (cap > 0) s = cap * std::tanh(s / cap);
                p.push_back(s);
                best = std::max(best, s);
              }
              double sum = 0;
              for (double& s : p) sum += (s = std::exp(s - best));
              double* out = y.row(t) + h * dim;
              for (int64_t j = first; j <= pos; ++j) {
                const double* value = kv.data.data() + ((j * 2 + 1) * kv_heads + g) * dim;
                for (int64_t i = 0; i < dim; ++i)
                  out[i] += p[static_cast<size_t>(j - first)] / sum * value[i];
              }
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc
