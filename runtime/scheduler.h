// How the stages of a step are run: in order, by a flow graph, … Each policy is one file in
// runtime/schedulers/ that registers itself; nothing else lists them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ir/kernel_abi.h"
#include "ir/machine.h"
#include "ir/plan.h"
#include "runtime/workers.h"

namespace lmc {

// Runs one tile on the calling thread. `next`: the tile of the same stage that this thread probably runs
// after it, or -1. `slot`: 0 … workers.slots() - 1, never the same for two tiles at a time.
using RunTile = std::function<void(size_t stage, int64_t tile, int64_t next, int slot)>;

// What a scheduler works on; all of it outlives the scheduler.
struct SchedulerSetup {
  const StepPlan& plan;
  Workers& workers;
  const MachineFigures& machine;
  RunTile run_tile;
};

class Scheduler {
 public:
  Scheduler() = default;
  virtual ~Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Runs every tile of the plan once, each after all tiles of the stages that its own waits for; one step at
  // a time. `step` says how much of it there is to do.
  virtual void run(const StepInfo& step) = 0;
};

struct SchedulerDef {
  std::string name;  // as --scheduler takes it
  std::string doc;   // one line
  std::function<std::unique_ptr<Scheduler>(const SchedulerSetup&)> make;
};

// "auto" unless somebody asks for another one.
inline constexpr const char* kUsualScheduler = "auto";

// Registered ones by name. The table is complete before main() starts.
std::vector<const SchedulerDef*> all_schedulers();
const SchedulerDef& find_scheduler(const std::string& name);  // Error naming all

struct RegisterScheduler {
  explicit RegisterScheduler(SchedulerDef def);
};

}  // namespace lmc
