#include <gtest/gtest.h>

#include "tools/cli/text_table.h"
#include "tools/measure/profile/kernel_kinds.h"
#include "tools/measure/profile/report_json.h"
#include "tools/measure/profile/stats.h"
#include "tools/measure/profile/work.h"

namespace lmc {
namespace {

PlanStage attention_stage() {
  PlanStage s;
  s.work.family = "attention";
  s.work.attention = {.flops = 4 * 8 * 64, .bytes = 2 * 2 * 64 * 2, .span = 100, .kv_heads = 2, .chunk = 0};
  return s;
}

StepRecord step_at(int64_t position, int64_t tokens, int64_t rows = 1) {
  StepRecord r;
  r.position = position;
  r.info = {tokens, rows};
  return r;
}

TEST(ProfileStats, AreThoseOfTheList) {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  const Stats s = stats_of(values);
  EXPECT_DOUBLE_EQ(s.mean, 50.5);
  EXPECT_DOUBLE_EQ(s.variance, 833.25);
  EXPECT_DOUBLE_EQ(s.p50, 50.5);
  EXPECT_DOUBLE_EQ(s.p90, 90.1);
  EXPECT_DOUBLE_EQ(s.p99, 99.01);
  EXPECT_EQ(s.spread(), 100);
}

TEST(ProfileStats, OfOneAndOfNone) {
  EXPECT_EQ(stats_of({3}).p99, 3);
  EXPECT_EQ(stats_of({3}).variance, 0);
  EXPECT_EQ(stats_of({}).max, 0);
  EXPECT_EQ(stats_of({}).spread(), 0);
}

TEST(ProfileWork, AttentionReadsWhatItsTokensSee) {
  const StepPlan plan;
  const double position = 2 * 2 * 64 * 2;  // K and V, heads, values, bytes
  const Work first = work_of(plan, attention_stage(), step_at(0, 1));
  EXPECT_EQ(first.bytes, position);
  EXPECT_EQ(first.ops, 4 * 8 * 64);
  EXPECT_EQ(work_of(plan, attention_stage(), step_at(1000, 1)).bytes, 100 * position);
  // The window of the first of 8 tokens begins 7 positions before that of the last.
  EXPECT_EQ(work_of(plan, attention_stage(), step_at(1000, 8)).bytes, 107 * position);
  EXPECT_EQ(work_of(plan, attention_stage(), step_at(0, 3)).ops, (1 + 2 + 3) * first.ops);
}

TEST(ProfileWork, CountsTokensOrWantedRows) {
  const StepPlan plan;
  PlanStage s;
  s.work.family = "linear";
  s.work.format = DType::q8_0;
  s.work.weight_bytes = 1000;
  s.work.flops = 10;
  EXPECT_EQ(work_of(plan, s, step_at(0, 6)).ops, 60);
  EXPECT_TRUE(work_of(plan, s, step_at(0, 6)).int8);
  s.work.over_rows = true;
  EXPECT_EQ(work_of(plan, s, step_at(0, 6, 2)).ops, 20);
  EXPECT_EQ(work_of(plan, s, step_at(0, 6, 2)).bytes, 1000);
  EXPECT_EQ(work_of(plan, s, step_at(0, 6, 0)).bytes, 0);  // nothing wanted, nothing read
}

TEST(ProfileKernel, IsBoundByTheSlowerCeilingOrByNeither) {
  KernelKind k;
  k.memory = 1;
  k.math = 0.5;
  k.seconds = 1.5;
  EXPECT_EQ(k.bound(), Bound::memory);
  EXPECT_EQ(k.excess(), 0.5);
  k.math = 1.25;
  EXPECT_EQ(k.bound(), Bound::compute);
  EXPECT_EQ(k.excess(), 0.25);
  k.seconds = 4;
  EXPECT_EQ(k.bound(), Bound::latency);
  k.seconds = 1;  // faster than memory allows: it was in the cache
  EXPECT_EQ(k.excess(), 0);
}

TEST(ProfileTable, AlignsTextLeftAndNumbersRight) {
  TextTable t({"<what", "ms"});
  t.row({"a", "1.5"});
  t.row({"longer", "12.25"});
  EXPECT_EQ(t.str(),
            "  what       ms\n"
            "  -------------\n"
            "  a         1.5\n"
            "  longer  12.25\n");
}

TEST(ProfileJson, RoundsToSixDigits) {
  EXPECT_EQ(rounded(1234567.0), 1234570.0);
  EXPECT_EQ(rounded(-0.00012345678), -0.000123457);
  EXPECT_EQ(rounded(0), 0);
  EXPECT_EQ(rounded(1e300 * 10), 1e301);
}

}  // namespace
}  // namespace lmc
