// Numbers for graphs that bring none.
#pragma once

#include <functional>
#include <string>

#include "ir/graph.h"
#include "ir/weights.h"

namespace lmc {

// Weights that are functions of their names.
class SeededWeights : public WeightSource {
 public:
  explicit SeededWeights(const Graph& g) : g_(g) {}
  std::optional<Type> type(const std::string& name) const override { return g_.type(g_.find_weight(name)); }
  void read(const std::string& name, int64_t first, std::span<float> out) const override {
    for (size_t i = 0; i < out.size(); ++i) {
      const uint64_t random = mix(std::hash<std::string>()(name) + static_cast<size_t>(first) + i);
      const auto step = static_cast<int>(random % 129) - 64;
      // Now and then a block's largest value, so that int8 reaches its ends.
      out[i] = (random >> 32) % 37 == 0 ? (step < 0 ? -1.0F : 1.0F) : static_cast<float>(step) / 128.0F;
    }
  }

 private:
  // SplitMix64, one step.
  static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  const Graph& g_;
};

}  // namespace lmc
