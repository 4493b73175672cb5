// Is a StepPlan safe to run in parallel? A proof by reachability.
#pragma once

#include <string>
#include <vector>

#include "ir/plan.h"
#include "ir/reach.h"

namespace lmc {

// By stage, those that are finished before it starts. Deps that point forward do not count.
Predecessors stages_before(const std::vector<PlanStage>& stages);

// Every pair of stages that touch the same bytes of arena, caches or output, at least one of them writing,
// must be ordered by a path of `deps`. Returns one sentence for each pair that is not, and for each dep that
// points forward.
std::vector<std::string> check_schedule(const StepPlan& plan);

}  // namespace lmc
