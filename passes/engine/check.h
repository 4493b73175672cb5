// The numeric gate: does a graph still compute what it did? Both versions are evaluated on the same inputs,
// and judged: exact passes by rounding, the others by a budget.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/tensor.h"
#include "ir/weights.h"
#include "passes/engine/check_inputs.h"

namespace lmc {

struct CheckResult {
  int64_t tokens = 0;
  std::string where;   // of a step at a border: " in front of position 4096"
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
  bool caches = true;  // do the caches count, or logits alone?

  bool operator==(const CheckBudget&) const = default;
  std::string str() const;  // for parse_budget: what differs from the defaults, "kl=0.01,sqnr=30"
};

// "kl=0.01,sqnr=30": the metrics named, the others by default. abs, rel and kl are upper limits, top1 (0 … 1)
// and sqnr (dB) lower ones; inf turns an upper limit off, -inf a lower one; caches=no leaves the caches out.
// Error naming what is wrong.
CheckBudget parse_budget(const std::string& text);

// What is wrong with `r`, with the figure and the limit, or "". Not-a-number is always wrong.
std::string exceeded(const CheckBudget& budget, const CheckResult& r);
std::string inexact(const CheckResult& r);  // the same for an exact pass

// Evaluates graphs that should mean the same on the same inputs, in the scenes that tell them apart
// (check_scenes.h): T=1 and T=7 at the end of the context, beyond every window, and in front of every border.
class NumericGate {
 public:
  // Inputs fit `reference`, which also says how long the context is. `weights` null: seeded random numbers.
  // `tokens`: of a step; decoding, and a block of a prompt.
  NumericGate(const Graph& reference, const WeightSource* weights, std::vector<int64_t> tokens = {1, 7});

  // One result for each scene that both graphs have: a lowered step of one token has those of one token. What
  // borders one of them has, the other is tried at, too. `caches`: do outputs that are caches count? Error if
  // outputs differ in number or shape, or a graph cannot be evaluated.
  std::vector<CheckResult> compare(const Graph& before, const Graph& after, bool caches = true);

  // The outputs in each scene; none in those that `g` does not have. They are remembered for a while, so that
  // a graph that is compared twice is evaluated once.
  using Outputs = std::vector<std::vector<Tensor>>;
  std::shared_ptr<const Outputs> evaluate(const Graph& g);
  int64_t evaluations() const { return evaluations_; }

 private:
  void look_at(const PositionBorders& borders);

  Graph reference_;
  const WeightSource* weights_;
  std::vector<int64_t> tokens_;
  int64_t context_;
  PositionBorders borders_;  // of all graphs seen
  CheckScenes scenes_;
  std::vector<TensorMap> inputs_;                                  // by scene
  std::map<std::string, std::shared_ptr<const Outputs>> outputs_;  // of the last graphs, by their text
  int64_t evaluations_ = 0;
};

}  // namespace lmc
