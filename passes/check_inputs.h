// Inputs for the numeric gate, made to fit a graph: ids inside the tables they look up, positions that follow
// a filled cache, everything else seeded random numbers.
#pragma once

#include "ir/eval.h"
#include "ir/graph.h"
#include "ir/weights.h"

namespace lmc {

struct CheckInputs {
  int64_t tokens = 0;  // T and R
  int64_t past = 0;    // positions in the caches before the step: more than the widest window, so that its
                       // edge is inside what is compared
  TensorMap tensors;
};

CheckInputs make_check_inputs(const Graph& g, int64_t tokens);

// The outputs of `g` on those. `weights` null: seeded random numbers that f16 and bf16 can hold.
std::vector<Tensor> evaluate_on(const Graph& g, const CheckInputs& inputs, const WeightSource* weights);

}  // namespace lmc
