#include "runtime/executor.h"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "dag.h"
#include "ir/error.h"

namespace lmc {
namespace {

using test::Dag;
using test::DagStage;

// Runs `steps` steps and returns the values of the last.
std::vector<uint64_t> run(const std::vector<DagStage>& stages, int threads, Schedule schedule,
                          int steps = 1) {
  Dag dag(stages);
  Workers workers(threads);
  Executor executor(dag.plan, dag.bindings, workers, schedule);
  for (int i = 0; i < steps; ++i) {
    dag.rewind();
    executor.run({1, 1});
    EXPECT_TRUE(dag.every_tile_ran_once());
  }
  EXPECT_EQ(dag.violations, 0);
  return dag.values();
}

TEST(Executor, EveryTileWaitsForAllTilesOfItsDependencies) {
  // A diamond: 2 and 3 wait for 1, 4 for both.
  const std::vector<DagStage> diamond = {{7, {}}, {40, {0}}, {33, {0}}, {29, {1, 2}}, {1, {3}}};
  const auto expected = run(diamond, 1, Schedule::serial);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(run(diamond, 4, Schedule::graph), expected);
}

TEST(Executor, AnyNumberOfThreadsGivesTheSameBits) {
  const auto stages = test::layers(6, 8);
  const auto expected = run(stages, 1, Schedule::serial);
  for (const int threads : {1, 2, 3, 4, 8, 16}) {
    EXPECT_EQ(run(stages, threads, Schedule::graph, 20), expected) << threads << " threads";
    EXPECT_EQ(run(stages, threads, Schedule::automatic), expected) << threads << " threads";
  }
}

TEST(Executor, AnyTopologicalOrderGivesTheSameBits) {
  const auto stages = test::layers(3, 6);
  EXPECT_EQ(run(stages, 1, Schedule::shuffled, 100), run(stages, 1, Schedule::serial));
}

TEST(Executor, SeveralRootsAndIndependentChainsAllRun) {
  const std::vector<DagStage> stages = {{3, {}}, {5, {}}, {4, {0}}, {9, {1}}, {2, {}}};
  EXPECT_EQ(run(stages, 4, Schedule::graph, 50), run(stages, 1, Schedule::serial));
}

TEST(Executor, WideStagesMeetInOneJoinNodeAndNarrowOnesDoNot) {
  Workers workers(8);
  const auto joins = [&](const std::vector<DagStage>& stages) {
    Dag dag(stages);
    return TileGraph(dag.plan, workers, [](size_t, int64_t, int64_t) {}).joins();
  };
  EXPECT_EQ(joins({{4, {}}, {4, {0}}}), 0);
  EXPECT_EQ(joins({{100, {}}, {1, {0}}, {100, {1}}}), 0);
  EXPECT_EQ(joins({{5, {}}, {4, {0}}}), 1);
  EXPECT_EQ(joins({{5, {}}, {2, {0}}}), 0);
  EXPECT_EQ(joins({{64, {}}, {64, {0}}, {32, {0}}}), 1);  // shared by both successors
}

TEST(Executor, ThousandsOfStepsRunWhileOthersWantTheCores) {
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) {
    }
  });
  const auto stages = test::layers(2, 5);
  EXPECT_EQ(run(stages, 8, Schedule::graph, 3000), run(stages, 1, Schedule::serial));
  stop = true;
  busy.join();
}

// Remembers its thread's scratch and takes a while, so that every worker gets tiles.
struct Sleeper {
  std::mutex mutex;
  std::set<void*> scratches;

  static void kernel(void* const* operands, const StepInfo*, int64_t, int64_t, void* scratch) {
    auto& self = *static_cast<Sleeper*>(operands[0]);
    {
      const std::lock_guard lock(self.mutex);
      self.scratches.insert(scratch);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
};

TEST(Executor, EveryWorkerTakesPartWithScratchOfItsOwnEvenBeyondTheCores) {
  for (const int threads : {1, 2, 4, 8}) {
    Dag dag({{32, {}}, {32, {0}}, {32, {1}}});
    Sleeper sleeper;
    dag.bindings.weights.assign(3, &sleeper);
    dag.bindings.kernels.assign(3, &Sleeper::kernel);
    Workers workers(threads);
    Executor executor(dag.plan, dag.bindings, workers, threads == 1 ? Schedule::serial : Schedule::graph);
    // On a busy machine a worker may sleep through a step, but not through all of them.
    for (int step = 0; step < 50 && sleeper.scratches.size() < static_cast<size_t>(threads); ++step) {
      executor.run({1, 1});
    }
    EXPECT_EQ(sleeper.scratches.size(), static_cast<size_t>(threads));
  }
}

TEST(Executor, TwoExecutorsShareTheWorkers) {
  Dag a(test::layers(2, 8)), b(test::layers(3, 7));
  Workers workers(3);
  Executor first(a.plan, a.bindings, workers, Schedule::graph),
      second(b.plan, b.bindings, workers, Schedule::graph);
  for (int i = 0; i < 200; ++i) {
    a.rewind();
    b.rewind();
    first.run({1, 1});
    second.run({1, 1});
    ASSERT_TRUE(a.every_tile_ran_once() && b.every_tile_ran_once());
  }
  EXPECT_EQ(a.violations + b.violations, 0);
}

TEST(Executor, WorksFromAnyThread) {
  Dag dag(test::layers(2, 8));
  Workers workers(2);
  Executor executor(dag.plan, dag.bindings, workers, Schedule::graph);
  for (int i = 0; i < 20; ++i) {
    dag.rewind();
    std::thread([&] { executor.run({1, 1}); }).join();
    ASSERT_TRUE(dag.every_tile_ran_once());
  }
}

TEST(Executor, SmallPlansAreNotWorthThreads) {
  Dag dag(test::layers(6, 4));
  EXPECT_FALSE(worth_threads(dag.plan, 4));
  for (PlanStage& s : dag.plan.stages) s.work.weight_bytes = 4 << 20;
  EXPECT_TRUE(worth_threads(dag.plan, 4));
  EXPECT_FALSE(worth_threads(dag.plan, 1));
  for (PlanStage& s : dag.plan.stages) s.tiles = 1;
  EXPECT_FALSE(worth_threads(dag.plan, 4));
}

TEST(Executor, AProfileTimesEveryStageAndCostsNothingElse) {
  Dag dag(test::layers(2, 8));
  Workers workers(2);
  Executor executor(dag.plan, dag.bindings, workers, Schedule::graph);
  Profile profile(dag.plan, workers.slots());
  executor.set_profile(&profile);
  for (int i = 0; i < 3; ++i) executor.run({1, 1});
  executor.set_profile(nullptr);
  executor.run({1, 1});
  EXPECT_EQ(profile.steps(), 3);
  EXPECT_EQ(profile.tokens(), 3);
  for (const StageTime& s : profile.stages()) {
    EXPECT_GT(s.busy, 0);
    EXPECT_GT(s.span, 0);
    EXPECT_LE(s.span, profile.seconds());
  }
  profile.reset();
  EXPECT_EQ(profile.seconds(), 0);
}

void expect_refused(Dag& dag, const std::string& words) {
  Workers workers(1);
  try {
    Executor executor(dag.plan, dag.bindings, workers);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
  }
}

TEST(Executor, APlanThatDoesNotFitItsMemoryIsRefused) {
  const std::vector<DagStage> one = {{1, {}}};
  {
    Dag dag(one);
    dag.bindings.kernels.pop_back();
    expect_refused(dag, "1 stages, but 0 kernels");
  }
  {
    Dag dag(one);
    dag.plan.stages[0].operands[1].offset = 64;
    expect_refused(dag, "stage 's0' () uses memory outside the arena");
  }
  {
    Dag dag({{1, {}}, {1, {0}}});
    dag.plan.stages[0].deps = {1};
    expect_refused(dag, "waits for stage 1");
  }
  {
    Dag dag(one);
    dag.bindings.weights.clear();
    expect_refused(dag, "uses weight 0, which is not there");
  }
}

TEST(Workers, WakingThemReturnsEvenWhereTheSystemGrantsFewer) {
  for (const int threads : {1, 2, 4, 32}) Workers(threads).wake();
  Workers small(2), large(8);  // the smaller control wins
  large.wake();
}

TEST(Workers, EveryIndexIsVisitedOnce) {
  for (const int threads : {1, 4}) {
    std::vector<std::atomic<int>> seen(1000);
    Workers(threads).for_each(1000, [&](int64_t i) { ++seen[static_cast<size_t>(i)]; });
    for (const auto& s : seen) EXPECT_EQ(s, 1);
  }
}

}  // namespace
}  // namespace lmc
