// Runs a StepPlan: the tiles of its stages, as parallel as their dependencies allow. Knows no graph and no
// model.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/arena.h"
#include "runtime/bindings.h"
#include "runtime/profile.h"
#include "runtime/tile_graph.h"
#include "runtime/workers.h"

namespace lmc {

enum class Schedule : uint8_t {
  automatic,  // threads where they pay
  serial,     // stage by stage on the calling thread
  graph,      // the flow graph, however small the plan
  shuffled,   // serial, in another random order each step: for tests of plans
};

class Executor {
 public:
  // `plan`, `workers` and the memory in `bindings` must outlive the executor.
  Executor(const StepPlan& plan, const Bindings& bindings, Workers& workers,
           Schedule schedule = Schedule::automatic);

  // One step; 1 <= step.tokens <= plan.max_tokens, 0 <= step.rows <= plan.max_rows.
  void run(const StepInfo& step);
  // From now on the stages work on these caches, one per Plan::caches.
  void use_caches(const std::vector<void*>& caches);
  // Times every tile into `profile`; null stops it.
  void set_profile(Profile* profile) { profile_ = profile; }
  bool parallel() const { return graph_ != nullptr; }

 private:
  void run_tiles();
  void run_tile(size_t stage, int64_t tile, int64_t next, int slot);
  std::byte* scratch(int slot) const { return scratch_.data() + slot * scratch_stride_ + kept_stride_; }

  const StepPlan& plan_;
  std::vector<BoundStage> stages_;
  int64_t kept_stride_, scratch_stride_;
  Arena scratch_;  // one piece per worker: what it keeps, then its scratch
  int64_t steps_ = 0;
  StepInfo step_ = {};
  Profile* profile_ = nullptr;
  bool shuffled_;
  uint64_t shuffles_ = 0;
  std::unique_ptr<TileGraph> graph_;  // null: serial
};

// Is the time that threads would save (estimated) more than what the flow graph costs?
bool worth_threads(const StepPlan& plan, int threads);

}  // namespace lmc
