// Graph → stages: which ops become which kernel launch, where their values live, what waits for what.
#pragma once

#include <vector>

#include "codegen/flatten.h"
#include "codegen/stage.h"

namespace lmc {

struct PlannedStep {
  StepPlan plan;
  std::vector<Stage> stages;  // plan.stages[i] is stages[i].plan; they point into the flat graph
};

// What both steps share: packed weights and caches, and which values they are.
struct SharedPlan {
  std::vector<PlanWeight> weights;
  std::vector<ValueId> packs;               // in the flat graph, one per weight
  std::map<ValueId, int64_t> weight_index;  // pack result → weights
  std::vector<PlanCache> caches;
  std::map<ValueId, int64_t> cache_index;  // kv input and every value appended from it → caches
};

// `max_tokens`: the largest step there will be; sizes the rings. Error for weights without `pack`.
SharedPlan plan_shared(const Graph& flat, int64_t max_tokens);

// The step for 1 … max_tokens new tokens. Error naming the op if there is no kernel for it or a group holds
// two contractions.
PlannedStep plan_step(const FlatGraph& flat, const SharedPlan& shared, int64_t max_tokens);

// The layout of arena buffers by lifetime: buffers share bytes only if every user of the one precedes the
// writer of the other on a path. `users[b]` lists the stages touching buffer b, its writer first. Returns
// arena bytes and fills in the offsets. (planner_memory.cpp)
int64_t place_buffers(std::vector<PlanBuffer>& buffers, const std::vector<std::vector<int32_t>>& users,
                      const std::vector<PlanStage>& stages);

}  // namespace lmc
