// Tiles drawn by runners, times written down by workers, pages touched by them.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtime/profile.h"
#include "runtime/tile_counter.h"
#include "runtime/warm_up.h"
#include "tests/threads/threads.h"

namespace lmc {
namespace {

// Two stages as TileGraph runs them: whoever finishes the first one runs the second, which reads all of it.
TEST(Tiles, TheLastRunnerOfAStageSeesWhatAllWrote) {
  constexpr int64_t kTiles = 64;
  for (int step = 0; step < 200; ++step) {
    TileCounter counter;
    counter.reset(kTiles);
    std::vector<int64_t> written(kTiles);
    std::atomic<int> here{0}, finishers{0};
    {
      std::vector<std::jthread> runners;
      for (int r = 0; r < kThreads; ++r) {
        runners.emplace_back([&, width = int64_t{1} + step % 3] {
          ++here;
          while (here < kThreads) std::this_thread::yield();  // else one would draw all
          int64_t count = 0;
          for (int64_t begin = counter.draw(width); begin < kTiles; begin = counter.draw(width)) {
            const int64_t end = std::min(begin + width, kTiles);
            for (int64_t tile = begin; tile < end; ++tile) written[static_cast<size_t>(tile)] += tile + 1;
            count += end - begin;
            std::this_thread::yield();
          }
          if (count == 0 || !counter.finish(count)) return;
          ++finishers;
          for (int64_t tile = 0; tile < kTiles; ++tile)
            ASSERT_EQ(written[static_cast<size_t>(tile)], tile + 1);
        });
      }
    }
    ASSERT_EQ(finishers, 1);
  }
}

TEST(Profile, WorkersWriteForThemselvesAndTheStepPutsItTogether) {
  StepPlan plan;
  plan.stages.resize(3);
  for (PlanStage& s : plan.stages) s.tiles = 40;
  Profile profile(plan, kThreads);
  for (int step = 0; step < 20; ++step) {
    const auto begin = Profile::Clock::now();
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      std::vector<std::jthread> workers;
      for (int slot = 0; slot < kThreads; ++slot) {
        workers.emplace_back([&, slot] {
          for (int64_t tile = slot; tile < plan.stages[s].tiles; tile += kThreads) {
            const auto start = profile.begins(s, slot);
            profile.tile(s, tile, slot, start, Profile::Clock::now());
          }
        });
      }
    }
    profile.step(1, begin, Profile::Clock::now());
  }
  EXPECT_EQ(profile.steps(), 20);
  EXPECT_EQ(profile.last_tiles(2).size(), 40u);
}

TEST(WarmUp, ProgressIsCalledOneAtATime) {
  const std::vector<std::byte> memory(size_t{64} << 20);
  const std::vector<std::span<const std::byte>> all = {memory, memory};
  Workers workers(kThreads);
  int64_t last = 0;  // not atomic
  touch_pages(all, workers, [&](int64_t done, int64_t total) {
    EXPECT_GT(done, last);
    EXPECT_LE(done, total);
    last = done;
  });
  EXPECT_EQ(last, static_cast<int64_t>(2 * memory.size()));
}

}  // namespace
}  // namespace lmc
