#include "tools/measure/logit_comparison.h"

#include <algorithm>
#include <cmath>

#include "ir/error.h"
#include "runtime/sampler.h"
#include "tools/machine/statistics.h"

namespace lmc {

double log_sum(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float l : logits) sum += std::exp(static_cast<double>(l) - top);
  return top + std::log(sum);
}

double negative_log_likelihood(std::span<const float> logits, int32_t id) {
  return log_sum(logits) - static_cast<double>(logits[static_cast<size_t>(id)]);
}

double kl_divergence(std::span<const float> a, double sum_a, std::span<const float> b, double sum_b) {
  double kl = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double log_p = static_cast<double>(a[i]) - sum_a;
    const double log_q = static_cast<double>(b[i]) - sum_b;
    if (const double p = std::exp(log_p); p > 0) kl += p * (log_p - log_q);
  }
  return kl < 0 ? 0 : kl;  // rounding may leave less
}

void LogitComparison::add(std::span<const float> a, std::span<const float> b, int32_t came) {
  const double sum_a = log_sum(a);
  const double sum_b = log_sum(b);
  const double kl = kl_divergence(a, sum_a, b, sum_b);
  const double nll_a = sum_a - static_cast<double>(a[static_cast<size_t>(came)]);
  const double nll_b = sum_b - static_cast<double>(b[static_cast<size_t>(came)]);
  if (!std::isfinite(kl) || !std::isfinite(nll_a) || !std::isfinite(nll_b))
    throw Error("position " + std::to_string(kl_.size()) + " of the text: the logits are no distribution");
  same_top_ += greedy(a) == greedy(b) ? 1 : 0;
  kl_.push_back(kl);
  difference_.push_back(nll_a - nll_b);
  nll_a_ += nll_a;
  nll_b_ += nll_b;
}

ComparedLogits LogitComparison::result() const {
  const auto n = static_cast<double>(kl_.size());
  ComparedLogits out;
  out.tokens = static_cast<int64_t>(kl_.size());
  out.nll_a = nll_a_ / n;
  out.nll_b = nll_b_ / n;
  out.same_top = static_cast<double>(same_top_) / n;
  out.difference = mean(difference_);
  double squares = 0;
  for (double d : difference_) squares += (d - out.difference) * (d - out.difference);
  out.standard_error = kl_.size() > 1 ? std::sqrt(squares / (n - 1) / n) : 0;
  std::vector<double> sorted = kl_;
  std::sort(sorted.begin(), sorted.end());
  out.kl_mean = mean(sorted);
  out.kl_p99 = sorted[(sorted.size() * 99 + 99) / 100 - 1];
  out.kl_max = sorted.back();
  return out;
}

}  // namespace lmc
