// What writer and reader of a bundle agree on.
#pragma once

#include <string>
#include <vector>

#include "ir/plan.h"

namespace lmc {

inline constexpr int kBundleFormat = 10;
inline constexpr const char* kLmcVersion = "0.1.0";

// What a rank's own plan.json, kernels.o, … are called: rank 0's so, another's "rank1.plan.json".
std::string rank_file(int64_t rank, const std::string& file);
bool is_weight_file(const std::string& name);  // of any rank

// Of a rank's weights, those that rank 0 has as well lie in its file alone: by weight, the index of the same
// one in rank 0's plan, or -1. Empty: all lie in the rank's own file.
using SharedWeights = std::vector<int64_t>;

// weights.safetensors of a plan: every packed weight as U8 that is not shared, at offsets that are multiples
// of 64 in the file, and followed by what kernels may read past its end.
struct WeightsHeader {
  explicit WeightsHeader(const Plan& plan, const SharedWeights& shared = {});
  std::string text;  // length and JSON, padded: everything before the data
  int64_t data_start = 0;
  int64_t file_bytes = 0;
  std::vector<int64_t> offsets;  // from data_start; -1: shared
};

}  // namespace lmc
