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

// As run_passes(), for so many ranks, of which those in `wanted` are asked for (empty: all). `g` becomes the
// graph of all ranks. PassOptions::after_pass also sees each rank's own graph when it is taken out of that.
RankPasses run_passes_for_ranks(Graph& g, PassOptions options, int64_t ranks,
                                std::vector<int64_t> wanted = {});

}  // namespace lmc
