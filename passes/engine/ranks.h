// The passes of a model that several ranks run together: those up to `shard` for all of them at once, the
// rest for each rank's own graph.
#pragma once

#include <cstdint>
#include <vector>

#include "passes/engine/manager.h"

namespace lmc {

struct RankPasses {
  std::vector<PassReport> together;            // the last of them is shard's
  std::vector<std::vector<PassReport>> alone;  // by rank
  std::vector<Graph> graphs;                   // by rank, ready to be lowered
};

// As run_passes(), for so many ranks (1, 2, 4 or 8). `g` becomes the graph of all ranks.
RankPasses run_passes_for_ranks(Graph& g, PassOptions options, int64_t ranks);

}  // namespace lmc
