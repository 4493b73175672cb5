#include "runtime/sampler.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <numeric>
#include <string>

#include "ir/error.h"

namespace lmc {
namespace {

[[noreturn]] void refuse(std::span<const float> logits) {
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i]) || logits[i] > FLT_MAX) {
      throw Error("the logit of token " + std::to_string(i) + " is " +
                  (std::isnan(logits[i]) ? "NaN" : "infinite") +
                  ": the weights are damaged or the model overflows");
    }
  }
  throw Error("no token has a finite logit: the weights are damaged or the model overflows");
}

}  // namespace

int32_t greedy(std::span<const float> logits) {
  // Sixteen maxima side by side, which the compiler turns into vectors: a vocabulary has 262,144 entries.
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> best;
  std::array<int32_t, kLanes> bad = {};
  best.fill(-INFINITY);
  const size_t whole = logits.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) {
      const float x = logits[i + j];
      best[j] = x > best[j] ? x : best[j];
      bad[j] |= x <= FLT_MAX ? 0 : 1;
    }
  }
  float top = *std::max_element(best.begin(), best.end());
  bool refused = std::any_of(bad.begin(), bad.end(), [](int32_t b) { return b != 0; });
  for (const float x : logits.subspan(whole)) {
    top = std::max(top, x);
    refused |= !(x <= FLT_MAX);
  }
  if (refused || !(top >= -FLT_MAX)) refuse(logits);
  return static_cast<int32_t>(std::find(logits.begin(), logits.end(), top) - logits.begin());
}

Sampler::Sampler(const SamplerOptions& options) : options_(options), random_(options.seed) {
  if (!(options.temperature >= 0 && options.temperature <= DBL_MAX)) {
    throw Error("the temperature must be 0 or more, not " + std::to_string(options.temperature));
  }
  if (options.top_k < 0) throw Error("top-k must be 0 (all) or more, not " + std::to_string(options.top_k));
  if (!(options.top_p >= 0 && options.top_p <= 1)) {
    throw Error("top-p must lie between 0 and 1, not " + std::to_string(options.top_p));
  }
}

int32_t Sampler::sample(std::span<const float> logits) {
  const int32_t best = greedy(logits);
  if (options_.temperature == 0 || options_.top_k == 1) return best;
  return draw(logits);
}

int32_t Sampler::draw(std::span<const float> logits) {
  const auto n = static_cast<int64_t>(logits.size());
  const auto logit = [&](int32_t id) { return static_cast<double>(logits[static_cast<size_t>(id)]); };
  const auto likelier = [&](int32_t a, int32_t b) {
    return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
  };
  const double top = *std::max_element(logits.begin(), logits.end());
  ids_.resize(logits.size());
  std::iota(ids_.begin(), ids_.end(), 0);
  int64_t sorted = 0;  // how many likeliest candidates stand in order at the front
  const auto sort_first = [&](int64_t count) {
    std::partial_sort(ids_.begin() + sorted, ids_.begin() + count, ids_.end(), likelier);
    sorted = count;
  };

  int64_t kept = n;
  if (options_.top_k > 0 && options_.top_k < n) sort_first(kept = options_.top_k);
  if (options_.top_p < 1) {
    double sum = 0;
    for (int64_t i = 0; i < kept; ++i) sum += std::exp(logit(ids_[static_cast<size_t>(i)]) - top);
    double reached = 0;
    for (int64_t i = 0; i < kept; ++i) {
      // Few candidates are needed as a rule: sort as many as it takes, not the vocabulary.
      if (i == sorted) sort_first(std::min(kept, std::max<int64_t>(64, 4 * sorted)));
      reached += std::exp(logit(ids_[static_cast<size_t>(i)]) - top);
      if (reached >= options_.top_p * sum) kept = i + 1;
    }
  }

  weights_.resize(static_cast<size_t>(kept));
  double total = 0;
  for (size_t i = 0; i < weights_.size(); ++i) {
    weights_[i] = std::exp((logit(ids_[i]) - top) / options_.temperature);
    total += weights_[i];
  }
  double left = random_.uniform() * total;
  for (size_t i = 0; i < weights_.size(); ++i) {
    left -= weights_[i];
    if (left < 0) return ids_[i];
  }
  // Rounding used up the sum: the last candidate that has any weight.
  size_t i = weights_.size() - 1;
  while (i > 0 && weights_[i] == 0) --i;
  return ids_[i];
}

}  // namespace lmc
