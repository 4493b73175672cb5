// What a stage must do in a step at the least: bytes to read and operations, from the plan alone.
#pragma once

#include <cstdint>

#include "tools/measure/profile/recorder.h"

namespace lmc {

struct Work {
  double bytes = 0;  // weights and cache; buffers of the step stay in the CPU's caches
  double ops = 0;    // a multiply-add counts as two
  bool int8 = false;
  double buffer_bytes = 0;  // of the step's buffers, read or written
};

// `plan`: the one that the step ran.
Work work_of(const StepPlan& plan, const PlanStage& stage, const StepRecord& step);

}  // namespace lmc
