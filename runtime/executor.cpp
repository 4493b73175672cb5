#include "runtime/executor.h"

#include <cassert>
#include <chrono>
#include <numeric>

#include "runtime/memory_page.h"

namespace lmc {

// Pieces of scratch lie a page apart, so that no two workers share a cache line or prefetch each other's.
Executor::Executor(const StepPlan& plan, const Bindings& bindings, Workers& workers,
                   const std::string& scheduler, const MachineFigures& machine)
    : plan_(plan),
      workers_(workers),
      machine_(machine),
      stages_(bind_stages(plan, bindings)),
      kept_stride_(whole_pages(plan.kept_bytes)),
      scratch_stride_(kept_stride_ + whole_pages(plan.scratch_bytes + kReadPastEnd)),
      scratch_(scratch_stride_ * workers.slots(), "kernel scratch") {
  const auto tile = [this](size_t s, int64_t t, int64_t next, int slot) { run_tile(s, t, next, slot); };
  scheduler_ = find_scheduler(scheduler).make({plan, workers, machine_, tile});
}

void Executor::run(const StepInfo& step) {
  assert(step.tokens >= 1 && step.tokens <= plan_.max_tokens);
  assert(step.rows >= 0 && step.rows <= plan_.max_rows);
  step_ = step;
  step_.serial = ++steps_;
  if (!profile_) return scheduler_->run(step_);
  const auto begin = Profile::Clock::now();
  scheduler_->run(step_);
  profile_->step(step.tokens, begin, Profile::Clock::now());
}

double Executor::seconds_in_cache(size_t stage, const StepInfo& step, double seconds) {
  const BoundStage& of = stages_[stage];
  const int64_t workers = workers_.threads();
  if (of.tiles < workers || of.collective) return 0;
  step_ = step;
  step_.serial = ++steps_;
  std::vector<double> each(static_cast<size_t>(workers));
  workers_.for_each(workers, [&](int64_t tile) {
    std::byte* const memory = scratch(static_cast<int>(tile));
    of.run(step_, tile, tile, memory);  // brings it into the caches
    const auto begin = Profile::Clock::now();
    double& taken = each[static_cast<size_t>(tile)];
    int64_t calls = 0;
    for (double past = 0; past < seconds; taken = past / static_cast<double>(++calls)) {
      of.run(step_, tile, tile, memory);
      past = std::chrono::duration<double>(Profile::Clock::now() - begin).count();
    }
  });
  const double tile = std::accumulate(each.begin(), each.end(), 0.0) / static_cast<double>(workers);
  return tile * static_cast<double>(of.tiles) / static_cast<double>(workers);
}

void Executor::run_tile(size_t stage, int64_t tile, int64_t next, int slot) {
  if (tile == 0 && before_stage_) before_stage_(plan_.stages[stage], step_, stages_[stage].operands);
  if (!profile_) return stages_[stage].run(step_, tile, next, scratch(slot));
  const auto begin = profile_->begins(stage, slot);
  stages_[stage].run(step_, tile, next, scratch(slot));
  profile_->tile(stage, tile, slot, begin, Profile::Clock::now());
}

}  // namespace lmc
