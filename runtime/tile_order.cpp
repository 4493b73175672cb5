#include "runtime/tile_order.h"

#include <utility>

#include "runtime/random.h"

namespace lmc {

std::vector<TileRef> random_tile_order(const StepPlan& plan, uint64_t seed) {
  Random random(seed);
  const size_t n = plan.stages.size();
  std::vector<size_t> waiting(n);      // deps not finished
  std::vector<int64_t> unfinished(n);  // tiles
  std::vector<std::vector<size_t>> successors(n);
  std::vector<TileRef> ready, order;
  std::vector<size_t> released;
  for (size_t i = 0; i < n; ++i) {
    waiting[i] = plan.stages[i].deps.size();
    unfinished[i] = plan.stages[i].tiles;
    for (const int32_t d : plan.stages[i].deps) successors[static_cast<size_t>(d)].push_back(i);
    if (waiting[i] == 0) released.push_back(i);
  }
  const auto finish = [&](size_t stage) {
    for (const size_t s : successors[stage]) {
      if (--waiting[s] == 0) released.push_back(s);
    }
  };
  while (!released.empty() || !ready.empty()) {
    while (!released.empty()) {
      const size_t s = released.back();
      released.pop_back();
      for (int64_t t = 0; t < plan.stages[s].tiles; ++t) ready.push_back({static_cast<int32_t>(s), t});
    }
    std::swap(ready[random.below(ready.size())], ready.back());
    const TileRef tile = ready.back();
    ready.pop_back();
    order.push_back(tile);
    const auto s = static_cast<size_t>(tile.stage);
    if (--unfinished[s] == 0) finish(s);
  }
  return order;
}

}  // namespace lmc
