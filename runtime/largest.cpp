#include "runtime/largest.h"

#include <algorithm>
#include <array>
#include <cfloat>
#include <cmath>
#include <cstdint>

namespace lmc {

// Sixteen maxima side by side, which the compiler turns into vectors.
std::optional<float> largest(std::span<const float> logits) {
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
  return refused ? std::nullopt : std::optional(top);
}

}  // namespace lmc
