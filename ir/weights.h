// Where weights come from, as passes and the packer see it: names, types and rows of numbers.
#pragma once

#include <cstddef>
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

  // The same elements of the tensor's transpose, where the checkpoint stores that; otherwise false.
  virtual bool read_transposed(const std::string& /*name*/, int64_t /*first*/,
                               std::span<float> /*out*/) const {
    return false;
  }

  // What the checkpoint holds of this tensor is quantised: in a format that kernels read, or in another one,
  // `from`, of which that is the nearest.
  struct StoredFormat {
    DType format;
    std::string from;  // as its file calls it: "Q5_K"; "" if it is `format` itself
  };
  virtual std::optional<StoredFormat> stored_format(const std::string& /*name*/) const {
    return std::nullopt;
  }

  // Rows [first, first + rows) of the tensor (of its transpose, if `transposed`; a vector is one row) exactly
  // as the checkpoint stores them, if it stores them in this format, or in one of which this is the nearest
  // and nearer than numbers that are quantised anew; otherwise false. `out` takes the blocks
  // (ir/block_format.h) of one row after those of the other.
  virtual bool read_blocks(const std::string& /*name*/, bool /*transposed*/, DType /*format*/,
                           int64_t /*first*/, int64_t /*rows*/, std::span<std::byte> /*out*/) const {
    return false;
  }
};

}  // namespace lmc
