// The flow graph: as parallel as the dependencies of the stages allow.
#include <span>

#include "runtime/scheduler.h"
#include "runtime/share.h"
#include "runtime/tile_graph.h"

namespace lmc {
namespace {

class FlowGraph : public Scheduler {
 public:
  explicit FlowGraph(const SchedulerSetup& setup)
      : plan_(setup.plan),
        workers_(setup.workers),
        cost_(setup.plan, setup.machine),
        graph_(setup.plan, setup.workers,
               [run_tile = setup.run_tile](size_t stage, int64_t tile, int64_t next) {
                 run_tile(stage, tile, next, Workers::current_slot());
               }) {}

  void run(const StepInfo& step) override {
    if (step.tokens != tokens_) share_out(step.tokens);
    graph_.run(shares_);
  }

 private:
  // Steps of as many tokens as the one before, such as those of decoding, are shared out alike.
  void share_out(int64_t tokens) {
    tokens_ = tokens;
    shares_.clear();
    for (size_t s = 0; s < plan_.stages.size(); ++s)
      shares_.push_back(share_of(plan_, s, tokens, workers_.threads(), cost_));
  }

  const StepPlan& plan_;
  Workers& workers_;
  const StepCost cost_;
  TileGraph graph_;
  int64_t tokens_ = 0;
  std::vector<Share> shares_;
};

const RegisterScheduler kFlowGraph({"flow-graph", "as parallel as the stages' dependencies allow",
                                    [](const SchedulerSetup& s) { return std::make_unique<FlowGraph>(s); }});

}  // namespace
}  // namespace lmc
