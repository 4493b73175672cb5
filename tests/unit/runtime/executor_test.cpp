#include "runtime/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <type_traits>

#include "dag.h"
#include "ir/error.h"
#include "runtime/share.h"
#include "runtime/tile_graph.h"

namespace lmc {
namespace {

using test::Dag;
using test::DagStage;

// Runs `steps` steps and returns the values of the last.
std::vector<uint64_t> run(const std::vector<DagStage>& stages, int threads, const std::string& scheduler,
                          int steps = 1) {
  Dag dag(stages);
  Workers workers(threads);
  Executor executor(dag.plan, dag.bindings, workers, scheduler);
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
  const auto expected = run(diamond, 1, "in-order");
  for (int i = 0; i < 200; ++i) ASSERT_EQ(run(diamond, 4, "flow-graph"), expected);
}

TEST(Executor, AnyNumberOfThreadsGivesTheSameBits) {
  const auto stages = test::layers(6, 8);
  const auto expected = run(stages, 1, "in-order");
  for (const int threads : {1, 2, 3, 4, 8, 16}) {
    EXPECT_EQ(run(stages, threads, "flow-graph", 20), expected) << threads << " threads";
    EXPECT_EQ(run(stages, threads, "auto"), expected) << threads << " threads";
  }
}

TEST(Executor, AnyTopologicalOrderGivesTheSameBits) {
  const auto stages = test::layers(3, 6);
  EXPECT_EQ(run(stages, 1, "shuffled", 100), run(stages, 1, "in-order"));
}

TEST(Executor, SeveralRootsAndIndependentChainsAllRun) {
  const std::vector<DagStage> stages = {{3, {}}, {5, {}}, {4, {0}}, {9, {1}}, {2, {}}};
  EXPECT_EQ(run(stages, 4, "flow-graph", 50), run(stages, 1, "in-order"));
}

// Any number of runners, drawing any number of tiles at a time, runs every tile once and in order.
TEST(Executor, AStageIsSharedOutAsItsShareSays) {
  Workers workers(4);
  Dag dag({{1, {}}, {40, {0}}, {33, {0}}, {29, {1, 2}}, {1, {3}}, {7, {4}}});
  std::vector<std::atomic<int64_t>> undone(6), seen(6);
  std::atomic<int> wrong{0};
  TileGraph graph(dag.plan, workers, [&](size_t s, int64_t tile, int64_t next) {
    for (const int32_t d : dag.plan.stages[s].deps) wrong += undone[static_cast<size_t>(d)] == 0 ? 0 : 1;
    wrong += next < dag.plan.stages[s].tiles && next != tile ? 0 : 1;
    seen[s] += tile + 1;
    --undone[s];
  });
  for (int64_t i = 0; i < 300; ++i) {
    std::vector<Share> shares(6);
    for (size_t s = 0; s < 6; ++s) {
      undone[s] = dag.plan.stages[s].tiles;
      seen[s] = 0;
      shares[s] = {1 + (i * 7 + static_cast<int64_t>(s)) % 130, 1 + (i + static_cast<int64_t>(s) * 3) % 50};
    }
    graph.run(shares);
    for (size_t s = 0; s < 6; ++s) {
      const int64_t tiles = dag.plan.stages[s].tiles;
      ASSERT_EQ(undone[s], 0);
      ASSERT_EQ(seen[s], tiles * (tiles + 1) / 2);
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Executor, ThousandsOfStepsRunWhileOthersWantTheCores) {
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) {
    }
  });
  const auto stages = test::layers(2, 5);
  EXPECT_EQ(run(stages, 8, "flow-graph", 3000), run(stages, 1, "in-order"));
  stop = true;
  busy.join();
}

// Remembers its thread's scratch and waits for the other workers, so that every one gets tiles; not for ever.
struct Sleeper {
  size_t workers;
  std::mutex mutex;
  std::set<void*> scratches;
  std::atomic<size_t> seen{0};
  std::chrono::steady_clock::time_point deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds(60);

  static void kernel(void* const* operands, const StepInfo*, int64_t, int64_t, void* scratch) {
    auto& self = *static_cast<Sleeper*>(operands[0]);
    {
      const std::lock_guard lock(self.mutex);
      self.scratches.insert(scratch);
      self.seen = self.scratches.size();
    }
    while (self.seen < self.workers && std::chrono::steady_clock::now() < self.deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
};

TEST(Executor, EveryWorkerTakesPartWithScratchOfItsOwnEvenBeyondTheCores) {
  for (const int threads : {1, 2, 4, 8}) {
    Dag dag({{32, {}}, {32, {0}}, {32, {1}}});
    Sleeper sleeper{.workers = static_cast<size_t>(threads), .mutex = {}, .scratches = {}};
    dag.bindings.weights.assign(3, &sleeper);
    dag.bindings.kernels.assign(3, &Sleeper::kernel);
    Workers workers(threads);
    Executor executor(dag.plan, dag.bindings, workers, threads == 1 ? "in-order" : "flow-graph");
    executor.run({1, 1});
    EXPECT_EQ(sleeper.scratches.size(), static_cast<size_t>(threads));
  }
}

TEST(Executor, TwoExecutorsShareTheWorkers) {
  Dag a(test::layers(2, 8)), b(test::layers(3, 7));
  Workers workers(3);
  Executor first(a.plan, a.bindings, workers, "flow-graph"),
      second(b.plan, b.bindings, workers, "flow-graph");
  for (int i = 0; i < 200; ++i) {
    a.rewind();
    b.rewind();
    first.run({1, 1});
    second.run({1, 1});
    ASSERT_TRUE(a.every_tile_ran_once() && b.every_tile_ran_once());
  }
  EXPECT_EQ(a.violations + b.violations, 0);
}

// What runs its tiles holds its address.
static_assert(!std::is_move_constructible_v<Executor> && !std::is_copy_constructible_v<Executor>);

TEST(Executor, WorksFromAnyThread) {
  Dag dag(test::layers(2, 8));
  Workers workers(2);
  Executor executor(dag.plan, dag.bindings, workers, "flow-graph");
  for (int i = 0; i < 20; ++i) {
    dag.rewind();
    std::thread([&] { executor.run({1, 1}); }).join();
    ASSERT_TRUE(dag.every_tile_ran_once());
  }
}

TEST(Executor, AProfileTimesEveryStageAndCostsNothingElse) {
  Dag dag(test::layers(2, 8));
  Workers workers(2);
  Executor executor(dag.plan, dag.bindings, workers, "flow-graph");
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
}

TEST(Workers, EachHasItsThreadsWhateverOthersInTheProcessHave) {
  const auto all_at_once = [](Workers& w) {
    std::atomic<int> here{0}, most{0};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    w.for_each(w.threads(), [&](int64_t) {
      const int now = ++here;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      while (most < w.threads() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      --here;
    });
    return most.load();
  };
  Workers small(2), large(6);
  EXPECT_EQ(all_at_once(large), 6);
  EXPECT_EQ(all_at_once(small), 2);
  {
    const Workers another(3);
    EXPECT_EQ(all_at_once(large), 6);
  }
  EXPECT_EQ(all_at_once(large), 6);
}

// A single worker's slot is its own, also on a thread that is one of many of another arena.
TEST(Workers, SlotsAreThoseOfTheWorkersAtWork) {
  Workers many(8);
  std::atomic<int> wrong{0};
  many.for_each(64, [&](int64_t) {
    Workers one(1);
    one.run([&] { wrong += Workers::current_slot() < one.slots() ? 0 : 1; });
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  EXPECT_EQ(wrong, 0);
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
