// What a step's stages are worth to threads, by the machine's figures.
#include "runtime/stage_time.h"

#include <gtest/gtest.h>

#include "dag.h"

namespace lmc {
namespace {

constexpr MachineFigures kMachine{
    .threads = 4, .read_one = 10e9, .read_all = 20e9, .flops_one = 500e9, .launch = 2e-6, .step_start = 1e-5};

PlanStage stage(int64_t tiles, double weight_bytes, double flops) {
  PlanStage out;
  out.tiles = tiles;
  out.work.weight_bytes = weight_bytes;
  out.work.flops = flops;
  return out;
}

TEST(StageTime, ReadingIsSharedUpToTheMemorysLimitAndComputingWithout) {
  const PlanStage reads = stage(64, 10e6, 0), computes = stage(64, 0, 50e6);
  EXPECT_DOUBLE_EQ(stage_seconds(reads, 1, 1, kMachine), 1e-3);
  EXPECT_DOUBLE_EQ(stage_seconds(reads, 1, 2, kMachine), 0.5e-3);
  EXPECT_DOUBLE_EQ(stage_seconds(reads, 1, 8, kMachine), 0.5e-3);
  EXPECT_DOUBLE_EQ(stage_seconds(computes, 1, 1, kMachine), 1e-3);
  EXPECT_DOUBLE_EQ(stage_seconds(computes, 4, 2, kMachine), 2e-3);
  EXPECT_DOUBLE_EQ(stage_seconds(stage(64, 1, 500e6), 1, 1, kMachine), 1e-3)
      << "a linear is ten times as fast";
}

TEST(StageTime, SmallPlansAreNotWorthThreads) {
  test::Dag dag(test::layers(6, 4), 0);
  EXPECT_FALSE(worth_threads(dag.plan, 1, 4, kMachine));
  for (PlanStage& s : dag.plan.stages) s.work.weight_bytes = 4 << 20;
  EXPECT_TRUE(worth_threads(dag.plan, 1, 4, kMachine));
  EXPECT_FALSE(worth_threads(dag.plan, 1, 1, kMachine));
  MachineFigures slow_start = kMachine;
  slow_start.step_start = 1;
  EXPECT_FALSE(worth_threads(dag.plan, 1, 4, slow_start));
  for (PlanStage& s : dag.plan.stages) s.tiles = 1;
  EXPECT_FALSE(worth_threads(dag.plan, 1, 4, kMachine));
}

TEST(StageTime, APlanIsWorthThreadsFromSomeNumberOfTokensOn) {
  test::Dag dag(test::layers(6, 4), 0);
  for (PlanStage& s : dag.plan.stages) s.work.flops = 40e3;
  EXPECT_FALSE(worth_threads(dag.plan, 1, 4, kMachine));
  EXPECT_TRUE(worth_threads(dag.plan, 64, 4, kMachine));
}

TEST(StageTime, AStageHasAsManyRunnersAsHaveSomethingToDo) {
  const auto share = [](const PlanStage& s, int64_t tokens, int threads) {
    return share_of(s, tokens, threads, kMachine);
  };
  // 0.8 microseconds: one worker has done it before another one hears of it.
  EXPECT_EQ(share(stage(100, 0, 40e3), 1, 8).runners, 1);
  EXPECT_EQ(share(stage(100, 0, 40e3), 1, 8).tiles_per_draw, 100);
  EXPECT_EQ(share(stage(100, 0, 40e3), 10, 8).runners, 4);
  EXPECT_EQ(share(stage(100, 0, 40e3), 1000, 8).runners, 8);
  EXPECT_EQ(share(stage(3, 0, 40e3), 1000, 8).runners, 3);
}

TEST(StageTime, ShortTilesAreDrawnSeveralAtOnceButNotTooMany) {
  // 100 microseconds in 1000 tiles: ten make a microsecond.
  EXPECT_EQ(share_of(stage(1000, 1e6, 0), 1, 4, kMachine).tiles_per_draw, 10);
  EXPECT_EQ(share_of(stage(100, 1e6, 0), 1, 4, kMachine).tiles_per_draw, 1);
  EXPECT_EQ(share_of(stage(64, 40e3, 0), 1, 2, kMachine).tiles_per_draw, 8) << "each draws four times";
}

TEST(StageTime, WhatReadsACacheMayTakeLongAndIsSharedByAll) {
  PlanStage s = stage(12, 0, 0);
  s.operands.push_back({Space::kv, 0, 0, false, 64, -1});
  EXPECT_EQ(share_of(s, 1, 8, kMachine).runners, 8);
  EXPECT_EQ(share_of(s, 1, 8, kMachine).tiles_per_draw, 1);
}

}  // namespace
}  // namespace lmc
