// The reference evaluator: runs a graph op by op in double precision. Slow, and the meaning of the IR.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/tensor.h"
#include "ir/weights.h"

namespace lmc {

using TensorMap = std::map<std::string, Tensor>;

// Evaluates `g` on `inputs` (by input name; a missing kv input is an empty cache) and returns its outputs in
// order. `weight` gives the tensor of a weight name and is called once per weight and evaluation.
// Throws Error for a missing input or one of the wrong shape.
std::vector<Tensor> evaluate(const Graph& g, const TensorMap& inputs,
                             const std::function<Tensor(const std::string& name, const Type&)>& weight);

// The same with weights from a source.
std::vector<Tensor> evaluate(const Graph& g, const TensorMap& inputs, const WeightSource& weights);

// Inputs of a step over a fresh cache: tokens, pos = 0..n-1, out_rows = all rows (or the last one).
TensorMap step_inputs(const std::vector<int32_t>& ids, bool all_rows);

}  // namespace lmc
