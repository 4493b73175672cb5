#include "ir/ops/attention_part.h"

#include <algorithm>
#include <cmath>

#include "ir/alibi.h"
#include "ir/ops/common.h"

namespace lmc::ops {

AttentionPart attention_part(const EvalArgs& a, int64_t t, int64_t head, int64_t first, int64_t last) {
  const Tensor& q = a[0];
  const Tensor& kv = a[1];
  first = std::max(first, kv.first);
  const int64_t heads = q.dims[1];
  const int64_t dim = q.dims[2];
  const int64_t kv_heads = kv.dims[1];
  const int64_t width = kv.dims[2] - dim;  // of values
  const int64_t kv_head = head / (heads / kv_heads);
  const double cap = a.real("softcap");
  const double slope =
      a.real("alibi") == 0 ? 0 : a.real("alibi") * alibi_slopes(heads)[static_cast<size_t>(head)];
  const double position = a[2].data[static_cast<size_t>(t)];
  const double* query = q.row(t * heads + head);
  AttentionPart out{-1e300, 0, std::vector<double>(static_cast<size_t>(width))};
  std::vector<double> scores;
  for (int64_t j = first; j <= last; ++j) {
    const double* key = kv.row((j - kv.first) * kv_heads + kv_head);
    double s = 0;
    for (int64_t i = 0; i < dim; ++i) s += query[i] * key[i];
    s *= a.real("scale");
    s -= slope * (position - static_cast<double>(j));
    if (cap > 0) s = cap * std::tanh(s / cap);
    scores.push_back(s);
    out.maximum = std::max(out.maximum, s);
  }
  for (int64_t j = first; j <= last; ++j) {
    const double p = std::exp(scores[static_cast<size_t>(j - first)] - out.maximum);
    const double* value = kv.row((j - kv.first) * kv_heads + kv_head) + dim;
    out.sum += p;
    for (int64_t i = 0; i < width; ++i) out.values[static_cast<size_t>(i)] += p * value[i];
  }
  return out;
}

void add_sink(AttentionPart& part, double score) {
  const double maximum = std::max(part.maximum, score);
  const double fade = std::exp(part.maximum - maximum);
  part.sum = part.sum * fade + std::exp(score - maximum);
  for (double& v : part.values) v *= fade;
  part.maximum = maximum;
}

void check_attention(const InferArgs& a) {
  const CacheShape cache = require_keys(a[1]);
  if (a[1].dtype == DType::kv_q8_0) {
    require(a[0].dtype == DType::q8_0, [&] {
      return "q must be q8_0 rows, as quantize makes them, for cache " + a[1].str() + ", found " + a[0].str();
    });
  } else {
    require_activation(a[0], "q");
  }
  require(a[0].rank() == 3 && a[0].dims[2] == cache.key && cache.heads > 0 && a[0].dims[1] % cache.heads == 0,
          [&] { return "queries " + a[0].str() + " do not fit cache " + a[1].str(); });
  require(a[2].dtype == DType::i32 && a[2].rank() == 1 && a[2].dims[0] == a[0].dims[0],
          [&] { return "pos must be i32[" + dim_name(a[0].dims[0]) + "] like q, found " + a[2].str(); });
  const int64_t window = a.integer("window");
  require(window >= 0 && window <= cache.span,
          [&] { return "window " + std::to_string(window) + " is wider than cache " + a[1].str(); });
  require(a.real("softcap") >= 0, "softcap must not be negative");
}

}  // namespace lmc::ops
