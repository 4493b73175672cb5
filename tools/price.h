// What a step costs by its plan: the figures by which passes are compared before anything runs.
#pragma once

#include "ir/graph.h"
#include "ir/plan.h"

namespace lmc {

// One decode step with an empty cache.
struct Price {
  int64_t kernels = 0;          // launches
  double weight_bytes = 0;      // read
  double activation_bytes = 0;  // of the step's buffers, read and written
  double flops = 0;             // a multiply-add counts as two
  double seconds = 0;           // predicted
};

// The model behind `seconds`: each kernel takes as long as the slower of its bytes and its arithmetic, and
// every launch costs a little. Rough figures of a small server core pair; they order plans, they do not time
// them.
struct CostModel {
  double weight_bytes_per_second = 24e9;  // memory, all threads
  double buffer_bytes_per_second = 60e9;  // what stays in the caches
  double flops_per_second = 100e9;
  double launch_seconds = 1e-6;
};

Price price_of(const StepPlan& plan, const CostModel& model = {});

// Of one token, of a graph between two passes. Error if there is no plan for it.
Price price_of(const Graph& g);

}  // namespace lmc
