#include "runtime/tile_graph.h"

#include <tbb/flow_graph.h>

#include <algorithm>
#include <cassert>
#include <deque>
#include <utility>
#include <vector>

#include "runtime/tile_counter.h"

namespace lmc {
namespace {

using tbb::flow::continue_msg;
using StartNode = tbb::flow::continue_node<continue_msg>;
using RunnerNode = tbb::flow::function_node<int64_t, continue_msg>;
using DoneNode = tbb::flow::broadcast_node<continue_msg>;

int64_t only_successor(const StepPlan& plan, size_t stage) {
  int64_t found = -1;
  for (size_t s = stage + 1; s < plan.stages.size(); ++s) {
    const auto& deps = plan.stages[s].deps;
    if (std::find(deps.begin(), deps.end(), static_cast<int32_t>(stage)) == deps.end()) continue;
    if (found >= 0 || deps.size() > 1) return -1;
    found = static_cast<int64_t>(s);
  }
  return found;
}

}  // namespace

struct TileGraph::Impl {
  struct Stage {
    TileCounter counter;
    alignas(64) int64_t tiles = 0;
    Share share;
    StartNode* start = nullptr;
    RunnerNode* more = nullptr;
    DoneNode* done = nullptr;
    // The stage that waits for this one alone, if nothing else waits for it: whoever finishes here goes on
    // there without a task in between. -1: there is none.
    int64_t then = -1;
  };

  Impl(const StepPlan& plan, Body tile_body) : body(std::move(tile_body)), stages(plan.stages.size()) {
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      Stage& stage = stages[s];
      stage.tiles = plan.stages[s].tiles;
      stage.start = &starts.emplace_back(graph, [this, s](const continue_msg&) { run(s, 0); });
      stage.more = &runners.emplace_back(graph, tbb::flow::unlimited, [this, s](int64_t runner) {
        run(s, runner);
        return continue_msg();
      });
      stage.done = &dones.emplace_back(graph);
      stage.then = only_successor(plan, s);
      for (const int32_t d : plan.stages[s].deps) {
        Stage& before = stages[static_cast<size_t>(d)];
        if (before.then < 0) tbb::flow::make_edge(*before.done, *stage.start);
      }
      if (plan.stages[s].deps.empty()) roots.push_back(stage.start);
    }
  }

  // A runner of a stage, and of those that it alone starts by finishing one.
  void run(size_t s, int64_t runner) {
    while (draw(s, runner)) {
      const int64_t then = stages[s].then;
      if (then < 0) {
        stages[s].done->try_put(continue_msg());
        return;
      }
      s = static_cast<size_t>(then);
      runner = 0;
    }
  }

  // Has this runner finished the stage's last tile?
  bool draw(size_t s, int64_t runner) {
    Stage& stage = stages[s];
    const auto [runners, width] = stage.share;
    for (const int64_t child : {2 * runner + 1, 2 * runner + 2}) {
      // One draw is this runner's own.
      if (child < runners && stage.counter.next() + width < stage.tiles) stage.more->try_put(child);
    }
    int64_t count = 0;
    for (;;) {
      const int64_t begin = stage.counter.draw(width);
      if (begin >= stage.tiles) break;
      const int64_t end = std::min(begin + width, stage.tiles);
      // The next draw is a guess: by the time this one ends, the others have drawn once each. One made ahead
      // would be certain, but would wait for a worker that has lost its core.
      const int64_t after = end + (runners - 1) * width;
      for (int64_t tile = begin; tile < end; ++tile) {
        const int64_t next = tile + 1 < end ? tile + 1 : after;
        body(s, tile, next < stage.tiles ? next : -1);
      }
      count += end - begin;
    }
    return count > 0 && stage.counter.finish(count);
  }

  Body body;
  tbb::flow::graph graph;
  std::vector<Stage> stages;
  std::deque<StartNode> starts;  // nodes do not move
  std::deque<RunnerNode> runners;
  std::deque<DoneNode> dones;
  std::vector<StartNode*> roots;
};

TileGraph::TileGraph(const StepPlan& plan, Workers& workers, Body body) : workers_(workers) {
  // A flow graph belongs to the arena it is made in.
  workers_.run([&] { impl_ = std::make_unique<Impl>(plan, std::move(body)); });
}

TileGraph::~TileGraph() {
  workers_.run([&] { impl_.reset(); });
}

void TileGraph::run(std::span<const Share> shares) {
  assert(shares.size() == impl_->stages.size());
  workers_.run([&] {
    for (size_t s = 0; s < shares.size(); ++s) {
      Impl::Stage& stage = impl_->stages[s];
      stage.share = shares[s];
      stage.counter.reset(stage.tiles);
    }
    for (StartNode* root : impl_->roots) root->try_put(continue_msg());
    impl_->graph.wait_for_all();
  });
}

}  // namespace lmc
