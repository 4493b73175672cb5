// What a step costs by its plan: the figures by which passes are compared before anything runs.
#pragma once

#include <memory>

#include "ir/graph.h"
#include "ir/machine.h"
#include "ir/plan.h"

namespace lmc {

struct Price {
  // Of one decode step with an empty cache.
  int64_t kernels = 0;          // launches
  double weight_bytes = 0;      // read
  double activation_bytes = 0;  // of the step's buffers, read and written
  double flops = 0;             // a multiply-add counts as two
  double seconds = 0;           // predicted (ir/cost.h)
  // Of the first block of a prompt, predicted; only the last token's logits are wanted.
  int64_t block = 0;  // its tokens
  double block_seconds = 0;

  // A token of a prompt and one decoded: what decides between passes.
  double seconds_of_both() const;
};

Price price_of(const Plan& plan, const MachineFigures& machine);
// Of a graph between two passes. Error if there is no plan for it.
Price price_of(const Graph& g, const MachineFigures& machine);

// The figures that prices go by: those of as many threads as a session takes. Measured, if they must be, when
// somebody first asks; a file that LMC_MACHINE names is read at once, Error if it is none.
class PricingFigures {
 public:
  PricingFigures();
  const MachineFigures& get() const;

 private:
  std::shared_ptr<MachineFigures> figures_;  // threads 0: nobody asked yet
};

}  // namespace lmc
