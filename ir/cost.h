// The cost model: how long the stages of a plan take on a machine. The only one: schedulers share out work by
// it, passes are priced with it, and reports show it beside what was measured. Nothing that is computed
// depends on it.
//
// A stage takes
//   cold + prologue + share * work + call * tiles / threads
// or, of the part of its weights that the caches do not keep from one step to the next, bytes / read instead
// of share * work where that is more. Here work is the contraction's operations at the rate of one token or
// of a block, what is elementwise beside it, and reading and writing the step's buffers; `share` is what the
// busiest thread has of it when whole tiles are dealt out; every thread runs the prologue for itself. A stage
// is cold as far as weights come from memory. Rates are measured with kernels (tools/machine/machine.h), so
// what they do not reach of the hardware's limits is in them.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"
#include "ir/machine.h"
#include "ir/plan.h"

namespace lmc {

// What a step is fed.
struct StepShape {
  int64_t tokens = 1;
  int64_t rows = 1;       // of logits that are wanted
  int64_t position = 0;   // of the first token: how many its sequence has before it
  int64_t sequences = 1;  // that share the tokens evenly, all of them at that position
};

// Positions that attention of this kind sees in a step.
struct PositionsSeen {
  double together = 0;  // by each of its tokens, added up: products
  double apart = 0;     // by any of them: what is read of the cache
};
PositionsSeen positions_seen(const AttentionWork& attention, const StepShape& step);

class StepCost {
 public:
  // `plan` must outlive it.
  StepCost(const StepPlan& plan, const MachineFigures& machine);

  // Seconds from the begin of a stage's first tile to the end of its last one, with `ways` threads to draw
  // them. `stage`: index into the plan's stages.
  double stage(size_t stage, const StepShape& step, int64_t ways) const;
  // Threads that have something to do there: no more than there are tiles, and each more than it takes to
  // tell it. Of attention as many as there are: how long a sequence is, whoever shares it out need not know.
  int64_t ways(size_t stage, const StepShape& step, int64_t threads) const;
  // Seconds of all stages, one after the other, and of handing those out that several threads share: what one
  // thread does is done by whoever ended the stage before.
  double step(const StepShape& step, int64_t threads) const;
  // Is that less than one thread alone takes?
  bool worth_threads(const StepShape& step, int64_t threads) const;
  // The less of both.
  double usual_step(const StepShape& step, int64_t threads) const;

 private:
  const StepPlan& plan_;
  MachineFigures machine_;
  double from_memory_;           // what part of the weights is: 0 to 1
  std::vector<double> buffers_;  // bytes by stage, per token; without the partial results of attention
};

// Bytes of the step's buffers that a stage reads and writes, per token.
double buffer_bytes(const StepPlan& plan, const PlanStage& stage);

// Counts an op into `work`, or what is in a group: products and their format, rows. Ops on weights alone and
// views count nothing. What attention does depends on positions and is left out.
void count_op(const Graph& g, OpId op, StageWork& work);

// Seconds that an op takes for one token as a kernel of its own, its weights in memory, all threads sharing
// it: for comparing ops of a graph that has no plan yet.
double op_seconds(const Graph& g, OpId op, const MachineFigures& machine);

}  // namespace lmc
