// From logits to a token: greedy, or drawn at random from the likeliest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/random.h"

namespace lmc {

// Applied in llama.cpp's order: top_k, then top_p on the probabilities of what is left, then the temperature.
// So the temperature does not change which tokens may be drawn, only how evenly.
struct SamplerOptions {
  double temperature = 0;  // 0: greedy
  int64_t top_k = 0;       // keep the k likeliest; 0: all
  double top_p = 1;        // keep the fewest likeliest whose probabilities reach p (at least one); 1: all
  uint64_t seed = 0;       // the same seed, options and logits give the same tokens on every machine
};

class Sampler {
 public:
  // Throws Error for an option out of its range.
  explicit Sampler(const SamplerOptions& options);

  // Throws Error if the logits are no distribution: a NaN, +inf, or all -inf. Among equals the lowest id is
  // first.
  int32_t sample(std::span<const float> logits);

 private:
  int32_t draw(std::span<const float> logits);

  SamplerOptions options_;
  Random random_;
  std::vector<int32_t> ids_;     // candidates, kept to avoid allocation
  std::vector<double> weights_;  // of the first candidates, not normalised
};

// The likeliest token; the lowest id among equals. Throws as Sampler::sample.
int32_t greedy(std::span<const float> logits);

}  // namespace lmc
