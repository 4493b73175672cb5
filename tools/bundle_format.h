// What writer and reader of a bundle agree on.
#pragma once

#include <string>
#include <vector>

#include "ir/plan.h"

namespace lmc {

inline constexpr int kBundleFormat = 4;
inline constexpr const char* kLmcVersion = "0.1.0";

// Kernels read whole vectors, so a tensor is followed by at least this many readable bytes.
inline constexpr int64_t kWeightSlack = 32;

// weights.safetensors of a plan: every packed weight as U8, at offsets that are multiples of 64 in the file.
struct WeightsHeader {
  explicit WeightsHeader(const Plan& plan);
  std::string text;  // length and JSON, padded: everything before the data
  int64_t data_start = 0;
  int64_t file_bytes = 0;
  std::vector<int64_t> offsets;  // from data_start
};

}  // namespace lmc
