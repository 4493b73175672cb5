// What the flow graph itself costs: the stages of a step with nothing to do in them, by the number of runner
// nodes of each, as 2, 8, 16 or 64 cores would have. From the slope follows the cost of a node with its
// edges.
#include <benchmark/benchmark.h>

#include "runtime/tile_graph.h"

namespace lmc {
namespace {

constexpr int64_t kStages = 200;

// Each stage waits for the one before, as the linears and norms of a layer do.
StepPlan chain(int64_t tiles) {
  StepPlan plan;
  for (int64_t s = 0; s < kStages; ++s) {
    PlanStage stage;
    stage.tiles = tiles;
    if (s > 0) stage.deps.push_back(static_cast<int32_t>(s - 1));
    plan.stages.push_back(stage);
  }
  return plan;
}

void empty_stages(benchmark::State& state) {
  const auto threads = static_cast<int>(state.range(0));
  const auto runners = static_cast<int>(state.range(1));
  const StepPlan plan = chain(runners);
  Workers workers(threads);
  TileGraph graph(plan, workers, [](size_t, int64_t, int64_t) {}, runners);
  for (auto _ : state) graph.run();
  state.counters["per stage"] = benchmark::Counter(static_cast<double>(state.iterations() * kStages),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(empty_stages)
    ->ArgNames({"threads", "runners"})
    ->ArgsProduct({{2}, {1, 2, 4, 8, 16, 32, 64}})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace lmc
