// The numeric gate: does a graph still compute what it did? Both versions are evaluated on the same seeded
// inputs.
#pragma once

#include <string>

#include "ir/graph.h"
#include "ir/weights.h"

namespace lmc {

struct CheckResult {
  int64_t tokens = 0;
  double max_abs = 0;  // largest difference of any output element
  double max_rel = 0;  // … relative to the largest magnitude of that output
  double top1 = 1;     // share of rows whose largest element is the same
  double kl = 0;       // mean KL divergence of the rows' softmax (first output)
  double sqnr_db = 0;  // signal to (quantisation) noise over all outputs; infinite if nothing differs
  std::string str() const;
};

// Exact passes may differ by this much, relative.
inline constexpr double kExactTolerance = 1e-9;

// `weights` null: seeded random numbers. Outputs must be the same in number and shape, else Error.
CheckResult compare(const Graph& before, const Graph& after, const WeightSource* weights, int64_t tokens);

}  // namespace lmc
