#include "runtime/tile_graph.h"

#include <tbb/flow_graph.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

namespace lmc {
namespace {

using tbb::flow::continue_msg;
using TileNode = tbb::flow::continue_node<continue_msg>;
// Lightweight: runs within the tile that finishes last instead of as a task of its own.
using JoinNode = tbb::flow::continue_node<continue_msg, tbb::flow::lightweight>;

// Two stages with more pairs of tiles than this meet in a join node: k + k edges instead of k * k.
constexpr int64_t kDirectEdges = 16;

bool wire_directly(int64_t before, int64_t after) {
  return before == 1 || after == 1 || before * after <= kDirectEdges;
}

}  // namespace

struct TileGraph::Impl {
  Impl(const StepPlan& plan, Body tile_body) : body(std::move(tile_body)), first(plan.stages.size() + 1) {
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      first[s] = tiles.size();
      for (int64_t t = 0; t < plan.stages[s].tiles; ++t) {
        tiles.emplace_back(graph, [this, s, t](const continue_msg&) { body(s, t); });
        if (plan.stages[s].deps.empty()) roots.push_back(&tiles.back());
      }
    }
    first.back() = tiles.size();
    std::vector<JoinNode*> join_of(plan.stages.size(), nullptr);
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      for (const int32_t d : plan.stages[s].deps) wire(static_cast<size_t>(d), s, join_of);
    }
  }

  void wire(size_t before, size_t after, std::vector<JoinNode*>& join_of) {
    const auto count = [this](size_t s) { return static_cast<int64_t>(first[s + 1] - first[s]); };
    if (wire_directly(count(before), count(after))) {
      for (size_t i = first[before]; i < first[before + 1]; ++i) {
        for (size_t j = first[after]; j < first[after + 1]; ++j) tbb::flow::make_edge(tiles[i], tiles[j]);
      }
      return;
    }
    JoinNode*& join = join_of[before];
    if (!join) {
      join = &joins.emplace_back(graph, [](const continue_msg& m) { return m; });
      for (size_t i = first[before]; i < first[before + 1]; ++i) tbb::flow::make_edge(tiles[i], *join);
    }
    for (size_t j = first[after]; j < first[after + 1]; ++j) tbb::flow::make_edge(*join, tiles[j]);
  }

  Body body;
  tbb::flow::graph graph;
  std::deque<TileNode> tiles;  // stage by stage; nodes do not move
  std::deque<JoinNode> joins;
  std::vector<size_t> first;  // of each stage in tiles, and the end
  std::vector<TileNode*> roots;
};

TileGraph::TileGraph(const StepPlan& plan, Workers& workers, Body body) : workers_(workers) {
  // A flow graph belongs to the arena it is made in.
  workers_.run([&] { impl_ = std::make_unique<Impl>(plan, std::move(body)); });
}

TileGraph::~TileGraph() {
  workers_.run([&] { impl_.reset(); });
}

void TileGraph::run() {
  workers_.run([this] {
    for (TileNode* root : impl_->roots) root->try_put(continue_msg());
    impl_->graph.wait_for_all();
  });
}

int64_t TileGraph::joins() const { return static_cast<int64_t>(impl_->joins.size()); }

}  // namespace lmc
