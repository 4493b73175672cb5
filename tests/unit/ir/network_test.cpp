// What ranks send each other, and how long that takes on a network.
#include "ir/network.h"

#include <gtest/gtest.h>

namespace lmc {
namespace {

constexpr NetworkFigures kNetwork{.latency = 1e-3, .bandwidth = 1e6, .message = 1e-4};

TEST(Network, all_send_their_part_to_all) {
  const PlanGather gather{{100, 200, 300}, 1, 1000, {}};
  const RankTraffic t = traffic_of(gather, 2);
  EXPECT_EQ(t.messages_out, 2);
  EXPECT_EQ(t.messages_in, 2);
  EXPECT_EQ(t.sent, 2 * 2 * 200.0);
  EXPECT_EQ(t.got, 2 * (100.0 + 300.0));
  EXPECT_DOUBLE_EQ(seconds_of(t, kNetwork), 4 * 1e-4 + 1e-3 + 800 / 1e6);
  EXPECT_EQ(seconds_of(traffic_of(gather, 0), kNetwork), 0);
}

TEST(Network, a_message_costs_its_sender_no_latency_and_others_nothing) {
  PlanGather gather{{100, 0, 0}, 0, 100, {2}};
  EXPECT_DOUBLE_EQ(seconds_of(traffic_of(gather, 1), kNetwork), 1e-4);
  gather.rank = 1;
  EXPECT_EQ(seconds_of(traffic_of(gather, 1), kNetwork), 0);
  gather.rank = 2;
  EXPECT_DOUBLE_EQ(seconds_of(traffic_of(gather, 1), kNetwork), 1e-4 + 1e-3 + 100 / 1e6);
}

// A greedy token needs the best of each rank, if this one can tell its own.
TEST(Network, a_step_sends_no_logits_where_the_best_is_enough) {
  StepPlan plan;
  PlanStage logits;
  logits.work.over_rows = true;
  logits.gather = PlanGather{{4000, 4000}, 0, 8000, {0}};
  logits.operands = {{.space = Space::output, .written = true}};
  plan.stages = {logits};
  EXPECT_EQ(step_traffic(plan, {1, 1, 0}, kNetwork).all.got, 4000);
  plan.argmax_stage = 0;
  EXPECT_EQ(step_traffic(plan, {1, 1, 0}, kNetwork).all.got, 8);
  EXPECT_EQ(step_traffic(plan, {1, 0, 0}, kNetwork).collectives, 0);
}

// Where a step has several rows ranks are asked for the best of each.
TEST(Network, several_greedy_tokens_need_the_best_of_each) {
  StepPlan plan;
  plan.max_tokens = 64;
  PlanStage logits;
  logits.work.over_rows = true;
  logits.gather = PlanGather{{4000, 4000}, 0, 8000, {0}};
  logits.operands = {{.space = Space::output, .written = true}};
  plan.stages = {logits};
  const StepTraffic t = step_traffic(plan, {3, 3, 0, 3}, kNetwork);
  EXPECT_EQ(t.all.got, 3 * 8);
  EXPECT_DOUBLE_EQ(t.busy_seconds, t.seconds - kNetwork.latency);
}

}  // namespace
}  // namespace lmc
