#include "runtime/sampler.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
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

bool Sampler::likelier(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

int32_t Sampler::sample(std::span<const float> logits) {
  const int32_t best = greedy(logits);
  if (options_.temperature == 0 || options_.top_k == 1) return best;
  return draw(logits);
}

int32_t Sampler::draw(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) candidates_.push_back({logits[i], static_cast<int32_t>(i)});
  keep_top_k();
  keep_top_p(top);

  // In the order the candidates stand in: by id, or the likeliest first.
  double total = 0;
  for (Candidate& c : candidates_) total += c.weight = std::exp((c.logit - top) / options_.temperature);
  double left = random_.uniform() * total;
  int32_t chosen = 0;
  for (const Candidate& c : candidates_) {
    if (c.weight == 0) continue;
    chosen = c.id;
    left -= c.weight;
    if (left < 0) break;
  }
  return chosen;
}

void Sampler::keep_top_k() {
  if (options_.top_k == 0 || options_.top_k >= static_cast<int64_t>(candidates_.size())) return;
  std::partial_sort(candidates_.begin(), candidates_.begin() + options_.top_k, candidates_.end(), likelier);
  candidates_.resize(static_cast<size_t>(options_.top_k));
}

void Sampler::keep_top_p(double top) {
  if (options_.top_p == 1) return;
  double sum = 0;
  for (Candidate& c : candidates_) sum += c.weight = std::exp(c.logit - top);
  // Tokens below this weight add up to less than 1 - p, so p is reached without them. This saves sorting the
  // vocabulary; 0.999 leaves room for rounding.
  const double least = 0.999 * (1 - options_.top_p) * sum / static_cast<double>(candidates_.size());
  std::erase_if(candidates_, [least](const Candidate& c) { return c.weight < least; });
  std::sort(candidates_.begin(), candidates_.end(), likelier);
  double reached = 0;
  size_t kept = 0;
  do {
    reached += candidates_[kept++].weight;
  } while (kept < candidates_.size() && reached < options_.top_p * sum);
  candidates_.resize(kept);
}

}  // namespace lmc
