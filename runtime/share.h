// How the tiles of a stage are shared out among workers, by what the cost model says that it takes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ir/cost.h"

namespace lmc {

// How a stage is shared out in one step.
struct Share {
  int64_t runners = 1;         // workers that draw its tiles
  int64_t tiles_per_draw = 1;  // neighbouring ones
};

// Of plan.stages[stage], in a step of `tokens` tokens; `cost`: of that plan.
Share share_of(const StepPlan& plan, size_t stage, int64_t tokens, int threads, const StepCost& cost);

}  // namespace lmc
