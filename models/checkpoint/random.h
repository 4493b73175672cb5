// Seeded random weights at real shapes, made while they are read: any range, any order, any thread, same
// numbers.
#pragma once

#include <map>
#include <string>

#include "ir/weights.h"

namespace lmc {

class RandomWeights : public WeightSource {
 public:
  explicit RandomWeights(uint64_t seed) : seed_(seed) {}

  // Normal around `center` with deviation 0.02: 1 for norms that multiply by w, 0 for everything else.
  void declare(const std::string& name, const Type& type, double center);

  std::optional<Type> type(const std::string& name) const override;
  void read(const std::string& name, int64_t first, std::span<float> out) const override;

 private:
  struct Entry {
    Type type;
    float center;
    uint64_t key;
  };
  uint64_t seed_;
  std::map<std::string, Entry> entries_;
};

}  // namespace lmc
