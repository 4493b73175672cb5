#include "runtime/executor.h"

#include <algorithm>
#include <cassert>

#include "runtime/schedule_check.h"

namespace lmc {
namespace {

// Pieces of scratch lie a page apart, so that no two workers share a cache line or prefetch each other's.
constexpr int64_t kPage = 4096;

int64_t whole_pages(int64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

}  // namespace

bool worth_threads(const StepPlan& plan, int threads) {
  // Rough figures of one core; the costs were measured with 2 threads and 150 stages (DESIGN.md §6).
  constexpr double kBytesPerSecond = 15e9;
  constexpr double kFlopsPerSecond = 30e9;
  constexpr double kStageCost = 1.5e-6;
  constexpr double kStepCost = 10e-6;
  double saved = 0;
  for (const PlanStage& s : plan.stages) {
    const auto ways = static_cast<double>(std::min<int64_t>(threads, s.tiles));
    const double seconds = std::max(s.work.weight_bytes / kBytesPerSecond,
                                    s.work.flops * static_cast<double>(plan.max_tokens) / kFlopsPerSecond);
    saved += seconds * (1 - 1 / ways);
  }
  return threads > 1 && saved > kStepCost + kStageCost * static_cast<double>(plan.stages.size());
}

Executor::Executor(const StepPlan& plan, const Bindings& bindings, Workers& workers, Schedule schedule)
    : plan_(plan),
      stages_(bind_stages(plan, bindings)),
      kept_stride_(whole_pages(plan.kept_bytes)),
      scratch_stride_(kept_stride_ + whole_pages(plan.scratch_bytes + 64)),
      scratch_(scratch_stride_ * workers.slots(), "kernel scratch"),
      shuffled_(schedule == Schedule::shuffled) {
  const bool parallel = schedule == Schedule::graph ||
                        (schedule == Schedule::automatic && worth_threads(plan, workers.threads()));
  if (!parallel) return;
  graph_ = std::make_unique<TileGraph>(plan, workers, [this](size_t stage, int64_t tile, int64_t next) {
    run_tile(stage, tile, next, Workers::current_slot());
  });
}

void Executor::use_caches(const std::vector<void*>& caches) {
  for (size_t s = 0; s < stages_.size(); ++s) {
    for (size_t i = 0; i < stages_[s].operands.size(); ++i) {
      const PlanOperand& o = plan_.stages[s].operands[i];
      if (o.space == Space::kv)
        stages_[s].operands[i] = static_cast<std::byte*>(caches[static_cast<size_t>(o.index)]) + o.offset;
    }
  }
}

void Executor::run(const StepInfo& step) {
  assert(step.tokens >= 1 && step.tokens <= plan_.max_tokens);
  assert(step.rows >= 0 && step.rows <= plan_.max_rows);
  step_ = step;
  step_.serial = ++steps_;
  if (!profile_) return run_tiles();
  const auto begin = Profile::Clock::now();
  run_tiles();
  profile_->step(step.tokens, begin, Profile::Clock::now());
}

void Executor::run_tiles() {
  if (graph_) return graph_->run();
  if (shuffled_) {
    for (const TileRef& t : random_tile_order(plan_, shuffles_++)) {
      run_tile(static_cast<size_t>(t.stage), t.tile, -1, 0);
    }
    return;
  }
  for (size_t s = 0; s < stages_.size(); ++s) {
    for (int64_t t = 0; t < stages_[s].tiles; ++t) run_tile(s, t, t + 1 < stages_[s].tiles ? t + 1 : -1, 0);
  }
}

void Executor::run_tile(size_t stage, int64_t tile, int64_t next, int slot) {
  if (!profile_) return stages_[stage].run(step_, tile, next, scratch(slot));
  const auto begin = profile_->begins(stage, slot);
  stages_[stage].run(step_, tile, next, scratch(slot));
  profile_->tile(stage, tile, slot, begin, Profile::Clock::now());
}

}  // namespace lmc
