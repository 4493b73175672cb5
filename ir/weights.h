// Where weights come from, as passes and the packer see it: names, types and rows of numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "ir/type.h"

namespace lmc {

// A set of named tensors, read-only and safe to read from several threads.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  // Type of a tensor as the checkpoint stores it; nullopt if it has none of that name.
  virtual std::optional<Type> type(const std::string& name) const = 0;

  // Elements [first, first + out.size()) of the tensor in row-major order, widened to f32.
  // Throws Error naming tensor and file if they cannot be read.
  virtual void read(const std::string& name, int64_t first, std::span<float> out) const = 0;
};

}  // namespace lmc
