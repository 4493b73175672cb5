// A lowered step as a plan: the projection of its groups onto buffers, dependencies and launches. Knows no
// kernel by name; whatever it asks of one it asks its family.
#pragma once

#include <vector>

#include "codegen/kernel_spec.h"
#include "ir/lowered.h"
#include "ir/plan.h"

namespace lmc {

struct PlannedStep {
  StepPlan plan;
  std::vector<KernelSpec> kernels;  // canonical; one per plan.stages
};

// Weights and caches, which both steps share.
struct SharedPlan {
  std::vector<PlanWeight> weights;
  std::vector<ValueId> packs;  // in Lowered::model, one per weight
  std::vector<PlanCache> caches;
};
SharedPlan plan_shared(const Lowered& lowered);

// A step of 1 … max_tokens new tokens; `block`: of the largest step. Throws Error naming op or group where
// the graph is not lowered or a group is no kernel of its family, and where two kernels touch the same memory
// in no order.
PlannedStep plan_step(const Graph& lowered, const SharedPlan& shared, int64_t max_tokens, int64_t block);

// The layout of arena buffers by lifetime: buffers share bytes only if every user of the one precedes the
// writer of the other on a path. `users[b]` lists the stages touching buffer b, its writer first; buffers
// stand in the order of their writers. Returns arena bytes and fills in the offsets. (planner_memory.cpp)
int64_t place_buffers(std::vector<PlanBuffer>& buffers, const std::vector<std::vector<int32_t>>& users,
                      const std::vector<PlanStage>& stages);

// What reports say of a kernel, but for the bytes of its weights. (stage_work.cpp)
StageWork work_of(const KernelSpec& spec);

}  // namespace lmc
