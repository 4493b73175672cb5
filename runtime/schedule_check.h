// Is a StepPlan safe to run in parallel? A proof by reachability, and the means to try it out: random orders.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/bindings.h"

namespace lmc {

// Every pair of stages that touch the same bytes of arena, caches or output, at least one of them writing,
// must be ordered by a path of `deps`. Returns one sentence for each pair that is not, and for each dep that
// points forward.
std::vector<std::string> check_schedule(const StepPlan& plan);

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
