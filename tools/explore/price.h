// What ops and kernels cost: predicted from work and ceilings, and measured where a profile tells.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "tools/profile/kernel_kinds.h"

namespace lmc {

// A ceiling that no profile told: a desktop's memory and a few cores. Good for comparing, not for promising.
Peaks assumed_peaks();

struct OpPrice {
  double weight_bytes = 0, activation_bytes = 0, flops = 0;  // per token
  double seconds = 0;  // at the ceilings: weights read, or arithmetic; caches are not counted
};
// Nothing for ops on weights alone: they run once, when compiling.
std::vector<OpPrice> price_ops(const Graph& g, const std::vector<OpId>& ops, const Peaks& peaks);

// What `lmc profile --json` wrote.
struct MeasuredKernel {
  std::string label;
  double us_per_call = 0, gb_s = 0, share_of_read_peak = 0;
};
struct Measured {
  Peaks peaks;
  std::string about;                    // "tiny.lmc, 2 threads, avx2"
  std::vector<MeasuredKernel> kernels;  // of decode steps
};
Measured read_profile(const std::string& path);  // Error naming file and field

// The kernels of a decode step and which of them computes an op.
struct KernelMap {
  std::vector<std::string> labels;  // distinct, as a profile names them
  std::vector<int64_t> calls;       // by label: in a step
  SideTable<OpId, int> kernel;      // index into `labels`; -1: none (weights, views)
  int64_t stages = 0;
  std::string obstacle;  // why there is no plan, or ""
};
KernelMap kernels_of(const Graph& g);

}  // namespace lmc
