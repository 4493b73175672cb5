#include "runtime/launch_cost.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "ir/seconds.h"
#include "runtime/tile_graph.h"

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;

void be_busy(double seconds) {
  const auto begin = Clock::now();
  while (seconds_since(begin) < seconds) {
  }
}

// What quiet moments give: others' work in between makes samples longer, never shorter.
double fastest_tenth(std::vector<double> samples) {
  const auto at = samples.begin() + static_cast<ptrdiff_t>(samples.size() / 10);
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

// A chain of stages with a tile of 5 microseconds for each thread.
double stage_cost(Workers& workers) {
  constexpr int kRuns = 30;
  constexpr size_t kStages = 40;
  constexpr double kTile = 5e-6;
  StepPlan plan;
  for (size_t s = 0; s < kStages; ++s) {
    PlanStage& stage = plan.stages.emplace_back();
    stage.tiles = workers.threads();
    if (s > 0) stage.deps.push_back(static_cast<int32_t>(s - 1));
  }
  TileGraph graph(plan, workers, [&](size_t, int64_t, int64_t) { be_busy(kTile); });
  const std::vector<Share> shares(kStages, Share{workers.threads(), 1});
  graph.run(shares);
  std::vector<double> samples;
  for (int i = 0; i < kRuns; ++i) {
    const auto begin = Clock::now();
    graph.run(shares);
    samples.push_back(seconds_since(begin) / kStages - kTile);
  }
  return fastest_tenth(std::move(samples));
}

double step_start(Workers& workers) {
  constexpr int kRuns = 30;
  constexpr double kPause = 1e-4, kPatience = 2e-3;
  std::vector<double> samples;
  for (int i = 0; i < kRuns; ++i) {
    be_busy(kPause);
    std::atomic<int> here{0};  // counts; nothing is handed over
    const auto begin = Clock::now();
    workers.for_each(workers.threads(), [&](int64_t) {
      ++here;
      while (here < workers.threads() && seconds_since(begin) < kPatience) std::this_thread::yield();
    });
    samples.push_back(seconds_since(begin));
  }
  return fastest_tenth(std::move(samples));
}

}  // namespace

LaunchCost measure_launch_cost(Workers& workers) {
  workers.wake();
  // Never nothing: a clock that ticks slowly must not make threads free.
  constexpr double kLeast = 1e-7;
  return {std::max(stage_cost(workers), kLeast), std::max(step_start(workers), kLeast)};
}

}  // namespace lmc
