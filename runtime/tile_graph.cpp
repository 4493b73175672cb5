#include "runtime/tile_graph.h"

#include <tbb/flow_graph.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>
#include <vector>

namespace lmc {
namespace {

using tbb::flow::continue_msg;
using RunnerNode = tbb::flow::continue_node<continue_msg>;
// Lightweight: runs within the runner that finishes last instead of as a task of its own.
using JoinNode = tbb::flow::continue_node<continue_msg, tbb::flow::lightweight>;

// Two stages with more pairs of nodes than this meet in a join node: k + k edges instead of k * k.
constexpr size_t kDirectEdges = 16;

bool wire_directly(size_t before, size_t after) {
  return before == 1 || after == 1 || before * after <= kDirectEdges;
}

// Counters lie a cache line apart.
struct alignas(64) StageState {
  std::atomic<int64_t> next{0};
  int64_t tiles = 0;
  std::vector<RunnerNode*> runners;
  JoinNode* join = nullptr;
};

}  // namespace

struct TileGraph::Impl {
  Impl(const StepPlan& plan, int runners, Body tile_body)
      : body(std::move(tile_body)), stages(plan.stages.size()) {
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      StageState& stage = stages[s];
      stage.tiles = plan.stages[s].tiles;
      for (int64_t r = 0; r < std::min<int64_t>(runners, stage.tiles); ++r) {
        stage.runners.push_back(&nodes.emplace_back(graph, [this, s](const continue_msg&) { draw(s); }));
        if (plan.stages[s].deps.empty()) roots.push_back(stage.runners.back());
      }
    }
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      for (const int32_t d : plan.stages[s].deps) wire(stages[static_cast<size_t>(d)], stages[s]);
    }
  }

  void wire(StageState& before, StageState& after) {
    if (wire_directly(before.runners.size(), after.runners.size())) {
      for (RunnerNode* b : before.runners) {
        for (RunnerNode* a : after.runners) tbb::flow::make_edge(*b, *a);
      }
      return;
    }
    if (!before.join) {
      before.join = &joins.emplace_back(graph, [](const continue_msg& m) { return m; });
      for (RunnerNode* b : before.runners) tbb::flow::make_edge(*b, *before.join);
    }
    for (RunnerNode* a : after.runners) tbb::flow::make_edge(*before.join, *a);
  }

  // The next tile is a guess, made when a tile begins: by the time it ends, the others have drawn one each. A
  // tile drawn ahead would be certain, but would wait for a worker that has lost its core.
  void draw(size_t s) {
    StageState& stage = stages[s];
    const auto others = static_cast<int64_t>(stage.runners.size()) - 1;
    for (;;) {
      const int64_t tile = stage.next.fetch_add(1, std::memory_order_relaxed);
      if (tile >= stage.tiles) return;
      const int64_t next = tile + 1 + others;
      body(s, tile, next < stage.tiles ? next : -1);
    }
  }

  Body body;
  tbb::flow::graph graph;
  std::vector<StageState> stages;
  std::deque<RunnerNode> nodes;  // do not move
  std::deque<JoinNode> joins;
  std::vector<RunnerNode*> roots;
};

TileGraph::TileGraph(const StepPlan& plan, Workers& workers, Body body, int runners) : workers_(workers) {
  if (runners <= 0) runners = workers.threads();
  // A flow graph belongs to the arena it is made in.
  workers_.run([&] { impl_ = std::make_unique<Impl>(plan, runners, std::move(body)); });
}

TileGraph::~TileGraph() {
  workers_.run([&] { impl_.reset(); });
}

void TileGraph::run() {
  workers_.run([this] {
    for (StageState& s : impl_->stages) s.next.store(0, std::memory_order_relaxed);
    for (RunnerNode* root : impl_->roots) root->try_put(continue_msg());
    impl_->graph.wait_for_all();
  });
}

int64_t TileGraph::joins() const { return static_cast<int64_t>(impl_->joins.size()); }

}  // namespace lmc
