// A new scheduler is one file: this one.
#include "runtime/scheduler.h"

#include <gtest/gtest.h>

#include "dag.h"
#include "ir/error.h"
#include "runtime/executor.h"
#include "toy_model.h"

namespace lmc {
namespace {

// Each stage's last tile first, all on the last of the workers' slots.
class LastFirst : public Scheduler {
 public:
  explicit LastFirst(const SchedulerSetup& setup) : setup_(setup) {}

  void run(const StepInfo&) override {
    for (size_t s = 0; s < setup_.plan.stages.size(); ++s) {
      for (int64_t t = setup_.plan.stages[s].tiles - 1; t >= 0; --t)
        setup_.run_tile(s, t, t - 1, setup_.workers.slots() - 1);
    }
  }

 private:
  SchedulerSetup setup_;
};

const RegisterScheduler kLastFirst({"last-first", "for this test",
                                    [](const SchedulerSetup& s) { return std::make_unique<LastFirst>(s); }});

TEST(Scheduler, ANewOneIsOneFileAndTakesPartByItsName) {
  EXPECT_EQ(find_scheduler("last-first").doc, "for this test");
  const test::ToyModel model(10, 100, 16, 16);
  const auto tokens = test::some_tokens(40);
  auto session = model.session({.threads = 2, .scheduler = "last-first"});
  const auto logits = session->step(tokens);
  EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), model.reference(tokens));
}

TEST(Scheduler, AllOfThemGiveTheSameBits) {
  std::vector<uint64_t> expected;
  for (const SchedulerDef* s : all_schedulers()) {
    test::Dag dag(test::layers(6, 8));
    Workers workers(3);
    Executor executor(dag.plan, dag.bindings, workers, s->name);
    for (int step = 0; step < 20; ++step) {
      dag.rewind();
      executor.run({1, 1});
      ASSERT_TRUE(dag.every_tile_ran_once()) << s->name;
    }
    EXPECT_EQ(dag.violations, 0) << s->name;
    if (expected.empty()) expected = dag.values();
    EXPECT_EQ(dag.values(), expected) << s->name;
  }
}

TEST(Scheduler, AnUnknownOneIsRefusedWithTheNamesOfAll) {
  EXPECT_EQ(test::message([] { find_scheduler("fastest"); }),
            "there is no scheduler 'fastest': there are auto, flow-graph, in-order, last-first, shuffled");
}

}  // namespace
}  // namespace lmc
