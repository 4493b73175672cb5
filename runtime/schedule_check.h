// The means to try out whether a StepPlan is safe to run in parallel: random orders.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/schedule_check.h"
#include "runtime/bindings.h"

namespace lmc {

struct TileRef {
  int32_t stage = 0;
  int64_t tile = 0;
};

// Some order of all tiles that respects `deps`; the same seed gives the same order.
std::vector<TileRef> random_tile_order(const StepPlan& plan, uint64_t seed);

// Runs the tiles one by one on the calling thread.
void run_in_order(const std::vector<BoundStage>& stages, const std::vector<TileRef>& order,
                  const StepInfo& step, void* scratch);

}  // namespace lmc
