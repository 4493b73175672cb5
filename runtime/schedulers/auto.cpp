// The flow graph where threads save more time than they cost on this machine, else in order: decided for
// every number of tokens.
#include "ir/cost.h"
#include "runtime/scheduler.h"

namespace lmc {
namespace {

class Auto : public Scheduler {
 public:
  explicit Auto(const SchedulerSetup& setup)
      : setup_(setup), cost_(setup.plan, setup.machine), in_order_(find_scheduler("in-order").make(setup)) {}

  void run(const StepInfo& step) override {
    if (step.tokens != tokens_) {
      tokens_ = step.tokens;
      threads_ = cost_.worth_threads({tokens_, tokens_, 0}, setup_.workers.threads());
      if (threads_ && !graph_) graph_ = find_scheduler("flow-graph").make(setup_);
    }
    (threads_ ? graph_ : in_order_)->run(step);
  }

 private:
  SchedulerSetup setup_;
  const StepCost cost_;
  std::unique_ptr<Scheduler> in_order_, graph_;
  int64_t tokens_ = 0;
  bool threads_ = false;
};

const RegisterScheduler kAuto({kUsualScheduler, "flow-graph where threads pay, else in-order",
                               [](const SchedulerSetup& s) { return std::make_unique<Auto>(s); }});

}  // namespace
}  // namespace lmc
