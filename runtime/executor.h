// Runs a StepPlan's kernels step by step. Knows no graph and no model; in which order, and on which threads,
// is a scheduler's business.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/arena.h"
#include "runtime/bindings.h"
#include "runtime/profile.h"
#include "runtime/scheduler.h"
#include "runtime/workers.h"

namespace lmc {

class Executor {
 public:
  // `plan`, `workers` and the memory in `bindings` must outlive the executor. `scheduler`: the name of one;
  // Error if there is none of it, or if the bindings do not fit the plan.
  Executor(const StepPlan& plan, const Bindings& bindings, Workers& workers,
           const std::string& scheduler = kUsualScheduler, const MachineFigures& machine = {});
  // The scheduler holds its address.
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // One step; 1 <= step.tokens <= plan.max_tokens, 0 <= step.rows <= plan.max_rows.
  void run(const StepInfo& step);
  // Seconds that `stage` would take if nothing it reads came from memory: each worker runs a tile of its own,
  // one of the first, again and again for `seconds`. 0 where there are fewer tiles than workers, or others
  // than the kernel have a part in it.
  double seconds_in_cache(size_t stage, const StepInfo& step, double seconds);
  // Times every tile into `profile`; null stops it.
  void set_profile(Profile* profile) { profile_ = profile; }
  // SessionOptions::before_stage.
  using BeforeStage = std::function<void(const PlanStage&, const StepInfo&, std::span<void* const>)>;
  void set_before_stage(BeforeStage f) { before_stage_ = std::move(f); }

 private:
  void run_tile(size_t stage, int64_t tile, int64_t next, int slot);
  std::byte* scratch(int slot) const { return scratch_.data() + slot * scratch_stride_ + kept_stride_; }

  const StepPlan& plan_;
  Workers& workers_;
  const MachineFigures machine_;
  std::vector<BoundStage> stages_;
  int64_t kept_stride_, scratch_stride_;
  Arena scratch_;  // one piece per worker: what it keeps, then its scratch
  int64_t steps_ = 0;
  StepInfo step_ = {};
  Profile* profile_ = nullptr;
  BeforeStage before_stage_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace lmc
