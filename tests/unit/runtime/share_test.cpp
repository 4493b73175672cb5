// How tiles are shared out, by the machine's figures.
#include "runtime/share.h"

#include <gtest/gtest.h>

namespace lmc {
namespace {

constexpr MachineFigures kMachine{.threads = 4,
                                  .read_one = 10e9,
                                  .read_all = 20e9,
                                  .from_memory = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
                                  .row = 50e9,
                                  .call = 1e-12,
                                  .cold = 1e-12,
                                  .launch = 2e-6};

// A linear's weights, or the operations of rows.
PlanStage stage(int64_t tiles, double weight_bytes, double ops) {
  PlanStage out;
  out.tiles = tiles;
  out.work.weight = {1, 1};
  out.work.weight_bytes = weight_bytes;
  out.work.rows.ops = ops;
  return out;
}

Share share(const PlanStage& s, int64_t tokens, int threads) {
  StepPlan plan;
  plan.max_tokens = 1000;
  plan.stages = {s};
  return share_of(plan, 0, tokens, threads, StepCost(plan, kMachine));
}

TEST(Share, AStageHasAsManyRunnersAsHaveSomethingToDo) {
  // 0.8 microseconds: one worker has done it before another one hears of it.
  EXPECT_EQ(share(stage(100, 0, 40e3), 1, 8).runners, 1);
  EXPECT_EQ(share(stage(100, 0, 40e3), 1, 8).tiles_per_draw, 100);
  EXPECT_EQ(share(stage(100, 0, 41e3), 10, 8).runners, 4);
  EXPECT_EQ(share(stage(100, 0, 40e3), 1000, 8).runners, 8);
  EXPECT_EQ(share(stage(3, 0, 40e3), 1000, 8).runners, 3);
}

TEST(Share, ShortTilesAreDrawnSeveralAtOnceButNotTooMany) {
  // 100 microseconds in 1000 tiles: some ten make a microsecond.
  EXPECT_EQ(share(stage(1000, 1.01e6, 0), 1, 4).tiles_per_draw, 10);
  EXPECT_EQ(share(stage(100, 1.01e6, 0), 1, 4).tiles_per_draw, 1);
  EXPECT_EQ(share(stage(64, 40.1e3, 0), 1, 2).tiles_per_draw, 8) << "each draws four times";
}

TEST(Share, AttentionMayTakeLongAndIsSharedByAll) {
  PlanStage s = stage(12, 0, 0);
  s.work.weight.clear();
  s.work.attention = {.flops = 1, .bytes = 1, .span = 100, .kv_heads = 12, .chunk = 0};
  EXPECT_EQ(share(s, 1, 8).runners, 8);
  EXPECT_EQ(share(s, 1, 8).tiles_per_draw, 1);
}

}  // namespace
}  // namespace lmc
