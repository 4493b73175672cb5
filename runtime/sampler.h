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
  struct Candidate {
    float logit;
    int32_t id;
    double weight = 0;  // a probability, not normalised
  };
  static bool likelier(const Candidate& a, const Candidate& b);
  int32_t draw(std::span<const float> logits);
  void keep_top_k();
  void keep_top_p(double top);

  SamplerOptions options_;
  Random random_;
  std::vector<Candidate> candidates_;  // kept to avoid allocation
};

// The likeliest token; the lowest id among equals. Throws as Sampler::sample.
int32_t greedy(std::span<const float> logits);

}  // namespace lmc
