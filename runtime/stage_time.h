// Estimates of how long stages take on this machine, for deciding who shall run them. Nothing that is
// computed depends on them.
#pragma once

#include <cstdint>

#include "ir/machine.h"
#include "ir/plan.h"

namespace lmc {

// Seconds that a stage takes when `ways` threads share a step of `tokens` tokens: what it reads of the
// weights or what it computes, whichever takes longer. What attention reads of the caches is not in it.
double stage_seconds(const PlanStage& stage, int64_t tokens, int64_t ways, const MachineFigures& machine);

// Is the time that threads would save in a step of `tokens` tokens more than what handing out its stages
// costs?
bool worth_threads(const StepPlan& plan, int64_t tokens, int threads, const MachineFigures& machine);

// How a stage is shared out in one step.
struct Share {
  int64_t runners = 1;         // workers that draw its tiles
  int64_t tiles_per_draw = 1;  // neighbouring ones
};
Share share_of(const PlanStage& stage, int64_t tokens, int threads, const MachineFigures& machine);

}  // namespace lmc
