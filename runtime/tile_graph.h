// A StepPlan as one oneTBB flow graph, built once and run for every step: a stage of k tiles is k nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "ir/plan.h"
#include "runtime/workers.h"

namespace lmc {

class TileGraph {
 public:
  using Body = std::function<void(size_t stage, int64_t tile)>;

  // `workers` must outlive the graph.
  TileGraph(const StepPlan& plan, Workers& workers, Body body);
  ~TileGraph();

  // Calls the body once for every tile, each after all tiles of the stages its own waits for.
  void run();

  // Stages whose tiles all report to one join node, because wiring them one by one needs more edges.
  int64_t joins() const;

 private:
  struct Impl;
  Workers& workers_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmc
