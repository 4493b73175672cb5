// A StepPlan as one oneTBB flow graph, built once and run for every step.
//
// A stage of k tiles is min(k, threads) nodes that draw the stage's tiles, in order, from one counter.
// Against a node per tile, taking a tile is one atomic increment instead of the dispatch of a task, so tiles
// may be small and the last one to finish keeps the others waiting for less; and a worker can guess its next
// tile, whose first cache lines the kernel asks for while it finishes this one (codegen/PERFORMANCE.md has
// the figures). A worker that loses its core delays one tile, as before: the others draw the rest.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "ir/plan.h"
#include "runtime/workers.h"

namespace lmc {

class TileGraph {
 public:
  // `next`: the tile of that stage which the same worker probably runs next, or -1.
  using Body = std::function<void(size_t stage, int64_t tile, int64_t next)>;

  // `workers` must outlive the graph. `runners`: most nodes of a stage, 0 for one per thread.
  TileGraph(const StepPlan& plan, Workers& workers, Body body, int runners = 0);
  ~TileGraph();

  // Calls the body once for every tile, each after all tiles of the stages its own waits for.
  void run();

  // Stages whose nodes all report to one join node, because wiring them one by one needs more edges.
  int64_t joins() const;

 private:
  struct Impl;
  Workers& workers_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmc
