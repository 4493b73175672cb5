// Random orders of a plan's tiles, to try out whether it is safe to run in parallel (ir/schedule_check.h
// proves it).
#pragma once

#include <cstdint>
#include <vector>

#include "ir/plan.h"

namespace lmc {

struct TileRef {
  int32_t stage = 0;
  int64_t tile = 0;
};

// Some order of all tiles that respects `deps`; the same seed gives the same order.
std::vector<TileRef> random_tile_order(const StepPlan& plan, uint64_t seed);

}  // namespace lmc
