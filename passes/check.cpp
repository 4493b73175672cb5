#include "passes/check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "ir/eval.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

uint64_t mix(uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// In [-1, 1), by name and index.
double seeded(const std::string& name, uint64_t index) {
  uint64_t key = 0;
  for (unsigned char c : name) key = mix(key ^ c);
  return static_cast<double>(static_cast<int64_t>(mix(key + index)) >> 11) * 0x1p-52;
}

// How many ids an input may hold: the rows of the smallest table it looks up.
int64_t id_limit(const Graph& g, ValueId v) {
  int64_t limit = INT32_MAX;
  for (const Use& u : g.value(v).uses) {
    if (g.op(u.op).def->name == "embedding") limit = std::min(limit, g.type(g.op(u.op).operands[1]).dims[0]);
  }
  return limit;
}

TensorMap seeded_inputs(const Graph& g, int64_t tokens) {
  TensorMap out;
  for (ValueId v : g.inputs()) {
    const Type& t = g.type(v);
    const std::string& name = g.value(v).name;
    if (is_kv(t.dtype)) continue;
    std::vector<int64_t> dims = t.dims;
    for (int64_t& d : dims) d = d < 0 ? tokens : d;
    Tensor x = make_tensor(t.dtype, dims);
    const int64_t limit = id_limit(g, v);
    for (size_t i = 0; i < x.data.size(); ++i) {
      const bool counted = name == "pos" || name == "out_rows";
      x.data[i] = t.dtype != DType::i32 ? 2 * seeded(name, i)
                  : counted
                      ? static_cast<double>(i)
                      : static_cast<double>(mix(i) % static_cast<uint64_t>(std::max<int64_t>(limit, 1)));
    }
    out[name] = std::move(x);
  }
  return out;
}

std::vector<Tensor> run(const Graph& g, const WeightSource* weights, int64_t tokens) {
  const TensorMap inputs = seeded_inputs(g, tokens);
  if (weights) return evaluate(g, inputs, *weights);
  return evaluate(g, inputs, [](const std::string& name, const Type& type) {
    Tensor t = make_tensor(type.dtype, type.dims);
    // Representable in f16 and bf16, as a stored weight would be.
    for (size_t i = 0; i < t.data.size(); ++i) t.data[i] = std::round(seeded(name, i) * 64) / 128;
    return t;
  });
}

double kl_divergence(const double* p, const double* q, int64_t n) {
  const double p_top = *std::max_element(p, p + n);
  const double q_top = *std::max_element(q, q + n);
  double p_sum = 0;
  double q_sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    p_sum += std::exp(p[i] - p_top);
    q_sum += std::exp(q[i] - q_top);
  }
  double kl = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double log_p = p[i] - p_top - std::log(p_sum);
    const double log_q = q[i] - q_top - std::log(q_sum);
    kl += std::exp(log_p) * (log_p - log_q);
  }
  return kl;
}

}  // namespace

CheckResult compare(const Graph& before, const Graph& after, const WeightSource* weights, int64_t tokens) {
  const std::vector<Tensor> a = run(before, weights, tokens);
  const std::vector<Tensor> b = run(after, weights, tokens);
  require(a.size() == b.size(), "the number of outputs changed from " + std::to_string(a.size()) + " to " +
                                    std::to_string(b.size()));
  CheckResult result;
  result.tokens = tokens;
  double signal = 0;
  double noise = 0;
  for (size_t o = 0; o < a.size(); ++o) {
    require(a[o].dims == b[o].dims, "the shape of output " + std::to_string(o) + " changed");
    double largest = 0;
    double difference = 0;
    for (size_t i = 0; i < a[o].data.size(); ++i) {
      largest = std::max(largest, std::fabs(a[o].data[i]));
      // A NaN must not slip through max().
      const double d = std::fabs(a[o].data[i] - b[o].data[i]);
      signal += a[o].data[i] * a[o].data[i];
      noise += d * d;
      difference = d <= difference ? difference : (std::isnan(d) ? INFINITY : d);
    }
    result.max_abs = std::max(result.max_abs, difference);
    if (difference > 0)
      result.max_rel = std::max(result.max_rel, largest > 0 ? difference / largest : INFINITY);
  }
  result.sqnr_db = noise == 0 ? INFINITY : 10 * std::log10(signal / noise);
  if (!a.empty() && a[0].rows() > 0) {
    int64_t same = 0;
    for (int64_t r = 0; r < a[0].rows(); ++r) {
      const double* p = a[0].row(r);
      const double* q = b[0].row(r);
      const int64_t n = a[0].last();
      same += std::max_element(p, p + n) - p == std::max_element(q, q + n) - q;
      result.kl += kl_divergence(p, q, n) / static_cast<double>(a[0].rows());
    }
    result.top1 = static_cast<double>(same) / static_cast<double>(a[0].rows());
  }
  return result;
}

std::string CheckResult::str() const {
  char text[200];
  std::snprintf(text, sizeof text,
                "T=%lld: max abs %.3g, relative %.3g, SQNR %.1f dB, same top-1 %.0f%%, KL %.3g",
                static_cast<long long>(tokens), max_abs, max_rel, sqnr_db, top1 * 100, kl);
  return text;
}

}  // namespace lmc
