// What ops and kernels cost: predicted by the cost model (ir/cost.h), and measured where a profile tells.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/machine.h"
#include "tools/graphs/explore/measured.h"

namespace lmc {

struct OpPrice {
  double weight_bytes = 0, activation_bytes = 0, flops = 0;  // per token
  double seconds = 0;                                        // predicted, as a kernel of its own
};
// Nothing for ops on weights alone: they run once, when compiling.
std::vector<OpPrice> price_ops(const Graph& g, const std::vector<OpId>& ops, const MachineFigures& machine);

// The kernels of a decode step at a position, and which of them computes an op.
struct KernelMap {
  std::vector<std::string> labels;  // distinct, as a profile names them
  std::vector<int64_t> calls;       // by label: in a step
  std::vector<double> seconds;      // … of a call, predicted
  SideTable<OpId, int> kernel;      // index into `labels`; -1: none (weights, views)
  int64_t stages = 0;
  double step_seconds = 0;  // predicted
  std::string obstacle;     // why there is no plan, or ""
};
KernelMap kernels_of(const Graph& g, const MachineFigures& machine, int64_t position);

}  // namespace lmc
