// The numeric gate: does a graph still compute what it did? Both versions are evaluated on the same inputs,
// and judged: exact passes by rounding, the others by a budget.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/tensor.h"
#include "ir/weights.h"
#include "passes/check_inputs.h"

namespace lmc {

struct CheckResult {
  int64_t tokens = 0;
  double max_abs = 0;  // largest difference of any output element
  double max_rel = 0;  // … relative to the largest magnitude of that output
  double top1 = 1;     // share of rows of the first f32 output whose largest element is the same
  double kl = 0;       // mean KL divergence of the softmax of those rows, in nats
  double sqnr_db = 0;  // signal to (quantisation) noise over all outputs; infinite if nothing differs; what
                       // was in the caches before is no signal
  std::string str() const;
};

// Exact passes may differ by this much, relative.
inline constexpr double kExactTolerance = 1e-9;

// How much a pass that is not exact may change. The defaults are several times what Q8_0 costs on the models
// of this project, and far below what a wrong pass does.
struct CheckBudget {
  double max_abs = std::numeric_limits<double>::infinity();  // depends on the scale of the outputs
  double max_rel = 0.25;
  double top1 = 0;  // off: one near tie of a few rows says little
  double kl = 0.05;
  double sqnr_db = 18;

  bool operator==(const CheckBudget&) const = default;
  std::string str() const;  // for parse_budget: what differs from the defaults, "kl=0.01,sqnr=30"
};

// "kl=0.01,sqnr=30": the metrics named, the others by default. abs, rel and kl are upper limits, top1 (0 … 1)
// and sqnr (dB) lower ones; inf turns an upper limit off, -inf a lower one. Error naming what is wrong.
CheckBudget parse_budget(const std::string& text);

// What is wrong with `r`, with the figure and the limit, or "". Not-a-number is always wrong.
std::string exceeded(const CheckBudget& budget, const CheckResult& r);
std::string inexact(const CheckResult& r);  // the same for an exact pass

// The outputs of one graph, for each number of tokens.
using Evaluation = std::vector<std::vector<Tensor>>;

// Evaluates graphs that mean the same on the same inputs: steps of so many tokens behind a filled cache.
class NumericGate {
 public:
  // Inputs fit `reference`. `weights` null: seeded random numbers.
  NumericGate(const Graph& reference, const WeightSource* weights,
              const std::vector<int64_t>& tokens = {1, 7});

  Evaluation evaluate(const Graph& g) const;
  // One result for each number of tokens. Error if outputs differ in number or shape.
  std::vector<CheckResult> compare(const Evaluation& before, const Evaluation& after) const;

 private:
  std::vector<CheckInputs> inputs_;
  const WeightSource* weights_;
};

// The two graphs on `tokens` tokens. Error if outputs differ in number or shape.
CheckResult compare(const Graph& before, const Graph& after, const WeightSource* weights, int64_t tokens);

}  // namespace lmc
