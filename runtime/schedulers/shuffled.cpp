// One by one on the calling thread, in another random order each step: for tests of plans.
#include "runtime/scheduler.h"
#include "runtime/tile_order.h"

namespace lmc {
namespace {

class Shuffled : public Scheduler {
 public:
  explicit Shuffled(const SchedulerSetup& setup) : plan_(setup.plan), run_tile_(setup.run_tile) {}

  void run(const StepInfo&) override {
    for (const TileRef& t : random_tile_order(plan_, steps_++))
      run_tile_(static_cast<size_t>(t.stage), t.tile, -1, 0);
  }

 private:
  const StepPlan& plan_;
  RunTile run_tile_;
  uint64_t steps_ = 0;
};

const RegisterScheduler kShuffled({"shuffled", "on one thread, in another allowed order each step: for tests",
                                   [](const SchedulerSetup& s) { return std::make_unique<Shuffled>(s); }});

}  // namespace
}  // namespace lmc
