// The cost model: what takes how long, on a machine of round figures.
#include "ir/cost.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ir/op_def.h"
#include "ir/text.h"

namespace lmc {
namespace {

// No call, start or cold stage costs anything here unless a test says so.
constexpr MachineFigures kMachine{.threads = 2,
                                  .read_one = 10e9,
                                  .read_all = 15e9,
                                  .from_memory = {0, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
                                  .f32_one = 10e9,
                                  .f32_block = 40e9,
                                  .int8_one = 50e9,
                                  .int8_block = 200e9,
                                  .attend = 20e9,
                                  .row = 5e9,
                                  .exp = 1e9,
                                  .buffers = 8e9,
                                  .call = 0,
                                  .cold = 0,
                                  .launch = 2e-6,
                                  .step_start = 1e-5};

// A plan of one stage.
StepPlan plan_of(PlanStage stage, int64_t max_tokens = 1) {
  StepPlan plan;
  plan.max_tokens = max_tokens;
  plan.stages.push_back(std::move(stage));
  return plan;
}

PlanStage linear(double weight_bytes, double products, DType format, int64_t tiles = 100) {
  PlanStage s;
  s.tiles = tiles;
  s.work.weight = {64, 64};
  s.work.weight_bytes = weight_bytes;
  s.work.products = products;
  s.work.format = format;
  return s;
}

double seconds(const PlanStage& stage, int64_t ways, const StepShape& step = {}, int64_t max_tokens = 1,
               const MachineFigures& machine = kMachine) {
  const StepPlan plan = plan_of(stage, max_tokens);
  return StepCost(plan, machine).stage(0, step, ways);
}

TEST(Cost, OnlyStagesThatThreadsShareAreHandedOut) {
  StepPlan plan;
  plan.max_tokens = 1;
  for (const int64_t tiles : {100, 1, 100}) plan.stages.push_back(linear(0, 500e3, DType::q8_0, tiles));
  EXPECT_DOUBLE_EQ(StepCost(plan, kMachine).step({}, 2), 10e-6 + 2 * (5e-6 + 2e-6) + 10e-6);
}

TEST(Cost, WeightsThatTheCachesDoNotKeepAreReadAsFastAsAllThreadsCan) {
  const PlanStage s = linear(30e6, 0, DType::q8_0);
  EXPECT_DOUBLE_EQ(seconds(s, 1), 3e-3);
  EXPECT_DOUBLE_EQ(seconds(s, 2), 2e-3);
  EXPECT_DOUBLE_EQ(seconds(s, 8), 2e-3);
}

TEST(Cost, WeightsThatTheCachesKeepCostTheirArithmeticAlone) {
  EXPECT_DOUBLE_EQ(seconds(linear(1e6, 5e6, DType::q8_0), 1), 1e-4);
  EXPECT_DOUBLE_EQ(seconds(linear(1e6, 5e6, DType::q8_0), 2), 5e-5);
  EXPECT_DOUBLE_EQ(seconds(linear(1e6, 5e6, DType::bf16), 1), 5e-4);
}

TEST(Cost, WhatTheCachesKeepOfMoreGoesByItsLogarithm) {
  EXPECT_EQ(weights_of_part(2), 1 << 21);
  EXPECT_EQ(part_from_memory(0, kMachine), 0);
  EXPECT_EQ(part_from_memory(1 << 20, kMachine), 0);
  EXPECT_NEAR(part_from_memory(std::exp2(20.25), kMachine), 0.25, 1e-12);
  EXPECT_EQ(part_from_memory(1 << 21, kMachine), 1);
  EXPECT_EQ(part_from_memory(1e12, kMachine), 1);
  const double half = std::exp2(20.5);  // comes from memory, the other half costs its arithmetic
  EXPECT_NEAR(seconds(linear(half, 0, DType::q8_0), 1), half / 2 / 10e9, 1e-12);
  EXPECT_NEAR(seconds(linear(half, 5e6, DType::q8_0), 1), half / 2 / 10e9 + 1e-4 / 2, 1e-12);
}

TEST(Cost, TheSlowerOfMemoryAndArithmeticCounts) {
  EXPECT_DOUBLE_EQ(seconds(linear(10e6, 25e6, DType::q8_0), 1), 1e-3);
  EXPECT_DOUBLE_EQ(seconds(linear(10e6, 100e6, DType::q8_0), 1), 2e-3);
}

TEST(Cost, BlocksOfTokensAreFasterATokenThanFew) {
  const PlanStage s = linear(0, 5e6, DType::q8_0);
  EXPECT_DOUBLE_EQ(seconds(s, 1, {4, 4, 0}, 64), 4e-4);
  EXPECT_DOUBLE_EQ(seconds(s, 1, {64, 64, 0}, 64), 64 * 2.5e-5);
}

TEST(Cost, WholeTilesAreDealtOut) {
  EXPECT_DOUBLE_EQ(seconds(linear(0, 5e6, DType::q8_0, 3), 2), 1e-4 * 2 / 3);
  EXPECT_DOUBLE_EQ(seconds(linear(0, 5e6, DType::q8_0, 1), 2), 1e-4);
  // Tiles of tokens: nine tokens are two of eight.
  PlanStage rows;
  rows.tiles = 8;
  rows.work.rows.ops = 5000;
  EXPECT_DOUBLE_EQ(seconds(rows, 2, {9, 9, 0}, 64), 9e-6 / 2);
  EXPECT_DOUBLE_EQ(seconds(rows, 4, {9, 9, 0}, 64), 9e-6 / 2);
  EXPECT_DOUBLE_EQ(seconds(rows, 4, {64, 64, 0}, 64), 64e-6 / 4);
}

TEST(Cost, APrologueIsEveryThreadsOwnAndAnEpilogueIsShared) {
  PlanStage s = linear(0, 5e6, DType::q8_0);
  s.work.prologue = {5000, 1000};
  EXPECT_DOUBLE_EQ(seconds(s, 2), 2e-6 + 5e-5);
  s.work.rows = s.work.prologue;
  s.work.prologue = {};
  EXPECT_DOUBLE_EQ(seconds(s, 2), 1e-6 + 5e-5);
}

TEST(Cost, BuffersTakeTheirTimeBesideTheWork) {
  PlanStage s;
  s.work.rows.ops = 10;
  const double work = seconds(s, 1);
  s.operands.push_back({.space = Space::arena, .written = true, .buffer = 0});
  StepPlan plan = plan_of(s);
  plan.buffers.push_back({"b", 8000, 0});
  EXPECT_DOUBLE_EQ(StepCost(plan, kMachine).stage(0, {}, 1), 1e-6 + work);
  EXPECT_EQ(buffer_bytes(plan, plan.stages[0]), 8000);
}

TEST(Cost, AttentionGrowsWithThePositionsSeenUpToItsWindow) {
  PlanStage s;
  s.work.attention = {.flops = 2000, .bytes = 100, .span = 100, .kv_heads = 2, .chunk = 0};
  s.tiles = 2;
  EXPECT_DOUBLE_EQ(seconds(s, 1, {1, 1, 0}), 1e-7);
  EXPECT_DOUBLE_EQ(seconds(s, 1, {1, 1, 49}), 50e-7);
  EXPECT_DOUBLE_EQ(seconds(s, 1, {1, 1, 1000}), 100e-7);
  EXPECT_DOUBLE_EQ(seconds(s, 1, {3, 3, 0}, 64), 6e-7);
  // Three sequences see three times what one sees.
  EXPECT_DOUBLE_EQ(seconds(s, 1, {3, 3, 49, 3}, 64), 3 * 50e-7);
  // Two heads of three chunks each, the last one short: one of the heads' long ones is the least there is.
  s.work.attention.span = 1000;
  s.work.attention.chunk = 100;
  s.tiles = 8;
  EXPECT_DOUBLE_EQ(seconds(s, 4, {1, 1, 249}), 250e-7 / 4);
  EXPECT_DOUBLE_EQ(seconds(s, 8, {1, 1, 249}), 250e-7 * 100 / 250 / 2);
}

TEST(Cost, NoRowsWantedCostNothing) {
  PlanStage s = linear(30e6, 5e6, DType::q8_0);
  s.work.over_rows = true;
  EXPECT_EQ(seconds(s, 2, {64, 0, 0}, 64), 0);
}

TEST(Cost, ThreadsPayWhereTheySaveMoreThanTheyCost) {
  StepPlan plan;
  for (int i = 0; i < 5; ++i) plan.stages.push_back(linear(0, 250e3, DType::q8_0));  // 5 µs
  const StepCost small(plan, kMachine);
  EXPECT_FALSE(small.worth_threads({}, 2));
  EXPECT_DOUBLE_EQ(small.usual_step({}, 2), 25e-6);
  for (PlanStage& s : plan.stages) s.work.products *= 100;
  const StepCost large(plan, kMachine);
  EXPECT_TRUE(large.worth_threads({}, 2));
  EXPECT_DOUBLE_EQ(large.usual_step({}, 2), 1250e-6 + 5 * 2e-6 + 1e-5);
  EXPECT_FALSE(large.worth_threads({}, 1));
}

TEST(Cost, CountsTheOpsOfAGraph) {
  const Graph g = parse_graph(R"(graph @g (%x: f32[T,64]) {
  weight @w : f32[32,64]
  weight @n : f32[64]
  %r = rms_norm(%x, @n) {eps=1e-6}
  %y = linear(%r, @w)
  %a = gelu_tanh(%y)
  %b = relu(%a)
  return %b
})");
  StageWork w;
  for (OpId id : g.ops()) count_op(g, id, w);
  EXPECT_EQ(w.products, 2 * 32 * 64);
  EXPECT_EQ(w.format, DType::f32);
  EXPECT_EQ(w.rows.ops, 4 * 64 + 32 + 32);
  EXPECT_EQ(w.rows.exps, 32);
  for (OpId id : g.ops()) {
    if (g.op(id).def->category != OpCategory::contraction) continue;
    EXPECT_DOUBLE_EQ(op_seconds(g, id, kMachine), 32 * 64 * 4 / 15e9);
  }
}

}  // namespace
}  // namespace lmc
