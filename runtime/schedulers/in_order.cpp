// Stage by stage, tile by tile, on the calling thread.
#include "runtime/scheduler.h"

namespace lmc {
namespace {

class InOrder : public Scheduler {
 public:
  explicit InOrder(const SchedulerSetup& setup) : plan_(setup.plan), run_tile_(setup.run_tile) {}

  void run(const StepInfo&) override {
    for (size_t s = 0; s < plan_.stages.size(); ++s) {
      const int64_t tiles = plan_.stages[s].tiles;
      for (int64_t t = 0; t < tiles; ++t) run_tile_(s, t, t + 1 < tiles ? t + 1 : -1, 0);
    }
  }

 private:
  const StepPlan& plan_;
  RunTile run_tile_;
};

const RegisterScheduler kInOrder({"in-order", "stage by stage on one thread",
                                  [](const SchedulerSetup& s) { return std::make_unique<InOrder>(s); }});

}  // namespace
}  // namespace lmc
