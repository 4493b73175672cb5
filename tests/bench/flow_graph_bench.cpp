// What the flow graph itself costs: the stages of a step with nothing to do in them, by the number of runners
// of each, as 2, 8, 16 or 128 cores would have.
#include <benchmark/benchmark.h>

#include <chrono>
#include <vector>

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
  const int64_t runners = state.range(1);
  const StepPlan plan = chain(runners);
  Workers workers(threads);
  TileGraph graph(plan, workers, [](size_t, int64_t, int64_t) {});
  const std::vector<Share> shares(kStages, Share{runners, 1});
  for (auto _ : state) graph.run(shares);
  state.counters["per stage"] = benchmark::Counter(static_cast<double>(state.iterations() * kStages),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(empty_stages)
    ->ArgNames({"threads", "runners"})
    ->ArgsProduct({{2}, {1, 2, 4, 8, 16, 32, 64, 128}})
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

// The same with something to do in each tile, half a microsecond: the overhead is what is above runners / 2
// of them.
void short_tiles(benchmark::State& state) {
  const StepPlan plan = chain(state.range(0));
  Workers workers(2);
  TileGraph graph(plan, workers, [](size_t, int64_t, int64_t) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(500);
    while (std::chrono::steady_clock::now() < end) {
    }
  });
  const std::vector<Share> shares(kStages, Share{2, 1});
  for (auto _ : state) graph.run(shares);
  state.counters["per stage"] = benchmark::Counter(static_cast<double>(state.iterations() * kStages),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(short_tiles)
    ->ArgName("tiles")
    ->Arg(2)
    ->Arg(8)
    ->Arg(32)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace lmc
