// Inputs for the numeric gate, made to fit a graph: ids inside the tables they look up, positions that follow
// a filled cache, everything else seeded random numbers.
#pragma once

#include <cstdint>
#include <map>

#include "ir/eval.h"
#include "ir/graph.h"
#include "ir/weights.h"
#include "passes/engine/check_scenes.h"

namespace lmc {

// Error if a cache of `g` has no shape.
TensorMap make_check_inputs(const Graph& g, const CheckScene& scene);

// The outputs of `g` on those, its windows replaced as `windows` says. `weights` null: seeded random numbers
// that f16 and bf16 can hold.
std::vector<Tensor> evaluate_on(const Graph& g, TensorMap inputs, const std::map<int64_t, int64_t>& windows,
                                const WeightSource* weights);

}  // namespace lmc
