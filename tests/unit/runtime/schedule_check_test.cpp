#include "ir/schedule_check.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "dag.h"
#include "runtime/bindings.h"
#include "runtime/tile_order.h"

namespace lmc {
namespace {

using test::Dag;

// Runs the tiles one by one on the calling thread.
void run_in_order(const std::vector<BoundStage>& stages, const std::vector<TileRef>& order,
                  const StepInfo& step, void* scratch) {
  for (const TileRef& t : order) stages[static_cast<size_t>(t.stage)].run(step, t.tile, -1, scratch);
}

TEST(ScheduleCheck, APlanWithoutSharedBytesIsSafe) {
  EXPECT_TRUE(check_schedule(Dag(test::layers(4, 8)).plan).empty());
}

TEST(ScheduleCheck, AReaderThatDoesNotWaitForItsWriterIsFound) {
  Dag dag({{2, {}}, {2, {0}}});
  dag.plan.stages[1].deps.clear();
  const auto found = check_schedule(dag.plan);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].find("stage 0 's0' and stage 1 's1' are not ordered: arena"), std::string::npos)
      << found[0];
}

TEST(ScheduleCheck, ReusingABufferNeedsAPathFromEveryReader) {
  // 1 and 2 read 0's buffer; 3 waits for 1 only and writes over it.
  Dag dag({{2, {}}, {2, {0}}, {2, {0}}, {2, {1}}});
  dag.plan.stages[3].operands[1].offset = dag.plan.stages[0].operands[1].offset;
  EXPECT_EQ(check_schedule(dag.plan).size(), 1u);
  dag.plan.stages[3].deps = {1, 2};
  EXPECT_TRUE(check_schedule(dag.plan).empty());
}

TEST(ScheduleCheck, ThePathMayLeadThroughOtherStages) {
  Dag dag({{2, {}}, {2, {0}}, {2, {1}}, {2, {2}}});
  dag.plan.stages[3].operands[1].offset = dag.plan.stages[0].operands[1].offset;
  EXPECT_TRUE(check_schedule(dag.plan).empty());
}

TEST(ScheduleCheck, CachesConflictByNumberAndReadersNeverConflict) {
  Dag dag({{1, {}}, {1, {}}});
  auto& a = dag.plan.stages[0].operands;
  auto& b = dag.plan.stages[1].operands;
  a.push_back({Space::kv, 0, 0, true, 100, -1});
  b.push_back({Space::kv, 1, 0, true, 100, -1});
  EXPECT_TRUE(check_schedule(dag.plan).empty());
  b.back().index = 0;
  EXPECT_EQ(check_schedule(dag.plan).size(), 1u);
  a.back().written = b.back().written = false;
  EXPECT_TRUE(check_schedule(dag.plan).empty());
  b.back() = {Space::kv, 0, 100, true, 10, -1};
  EXPECT_TRUE(check_schedule(dag.plan).empty()) << "neighbours do not overlap";
}

TEST(ScheduleCheck, ADependencyOnALaterStageIsFound) {
  Dag dag({{1, {}}, {1, {}}});
  dag.plan.stages[0].deps = {1};
  EXPECT_EQ(check_schedule(dag.plan).size(), 1u);
}

TEST(ScheduleCheck, RandomOrdersAreTopologicalCompleteAndDiffer) {
  Dag dag(test::layers(2, 6));
  std::set<std::string> seen;
  size_t tiles = 0;
  for (const PlanStage& s : dag.plan.stages) tiles += static_cast<size_t>(s.tiles);
  const auto stages = bind_stages(dag.plan, dag.bindings);
  alignas(64) std::byte scratch[64];
  std::vector<uint64_t> expected;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto order = random_tile_order(dag.plan, seed);
    EXPECT_EQ(order.size(), tiles);
    std::string text;
    for (const TileRef& t : order) text += std::to_string(t.stage) + "." + std::to_string(t.tile) + " ";
    seen.insert(text);
    dag.rewind();
    run_in_order(stages, order, {1, 1}, scratch);
    EXPECT_TRUE(dag.every_tile_ran_once());
    if (expected.empty()) expected = dag.values();
    EXPECT_EQ(dag.values(), expected);
  }
  EXPECT_EQ(dag.violations, 0);
  EXPECT_GT(seen.size(), 15u);
}

}  // namespace
}  // namespace lmc
