// A StepPlan as one oneTBB flow graph, built once and run for every step.
//
// A stage is a node that starts when the stages it waits for are done, and runners that draw its tiles from
// one counter. Against a node per tile, taking a tile is one atomic increment instead of the dispatch of a
// task, so tiles may be small and the last one to finish keeps the others waiting for less; and a worker can
// guess its next tile, whose first cache lines the kernel asks for while it finishes this one
// (codegen/PERFORMANCE.md has the figures). A worker that loses its core delays one draw: the others take the
// rest.
//
// The runners are a tree: each calls up to two more before its first tile, but only while tiles are left.
//
//   start(s) = runner 0 ──► runner 1 ──► runner 3, 4
//                       └─► runner 2 ──► runner 5, 6        the one that finishes the last tile: done(s)
//
// Where one stage alone waits for another, whoever finishes that goes on with this one, without a task in
// between. So a stage's start grows with the logarithm of the workers, a stage that is over before others
// wake costs no more than one task, and how many runners there may be is a number of the step, not of the
// graph.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "ir/plan.h"
#include "runtime/share.h"
#include "runtime/workers.h"

namespace lmc {

class TileGraph {
 public:
  // `next`: the tile of that stage which the same worker probably runs next, or -1.
  using Body = std::function<void(size_t stage, int64_t tile, int64_t next)>;

  // `workers` must outlive the graph.
  TileGraph(const StepPlan& plan, Workers& workers, Body body);
  ~TileGraph();

  // Calls the body once for every tile, each after all tiles of the stages its own waits for. `shares`: one
  // per stage.
  void run(std::span<const Share> shares);

 private:
  struct Impl;
  Workers& workers_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmc
