// Rounding a row of weights number by number, where inputs are known that it is multiplied by: what one
// number loses is made up for by those behind it, as far as their inputs go together.
//
// With H = sum(x xᵀ) of the inputs the squared error of the products is (w - q) H (w - q)ᵀ. H is factored as
// (U + 1) D (U + 1)ᵀ, U strictly upper triangular; number j is then rounded to the nearest of w_j + sum_{i<j}
// (w_i - q_i) U_ij, which leaves sum_j D_j times the squares of single roundings. (Frantar et al., GPTQ,
// arXiv 2210.17323, in the form of Chee et al., QuIP, arXiv 2307.13304, theorem 6.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ir/block_format.h"

namespace lmc {

// Number `i` of a block becomes the nearest to x that the block's scales allow; what that is.
using RoundAt = float (*)(std::byte* block, int64_t i, float x);

// Before main() starts: how a format, by its name, does it. Those without are rounded without feedback.
struct RegisterRounding {
  RegisterRounding(const char* format, RoundAt round_at);
};

class ErrorFeedback {
 public:
  // Of `columns` inputs: sums of products of two of them, of which [i columns + j] with i <= j are read.
  ErrorFeedback(std::span<const double> products, int64_t columns);

  int64_t columns() const { return columns_; }
  // A row of the weight, whose scales the format finds, errors counted by `importance` of columns, or null.
  void encode_row(const BlockFormat& format, const float* x, const float* importance, std::byte* out) const;

 private:
  int64_t columns_;
  std::vector<float> passed_on_;  // U_ij at [j columns + i]
};

}  // namespace lmc
