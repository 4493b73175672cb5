// The experts of a mixture, from what each token chooses to their weighted sum: what is dealt out together.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "passes/sharding/cut.h"

namespace lmc {

struct Mixture {
  std::vector<OpId> ops;  // that work on the rows of experts, in order; their weighted sum is none of them
  int64_t experts = 0;
  ValueId ids;      // of each token's experts
  std::string why;  // if not empty: these experts cannot be dealt out, and nothing else is said
};

// Behind a weighted_sum. `ops` is empty where that adds up something else than what experts have made.
Mixture mixture_of(const Graph& g, const Op& weighted_sum);

// Their virtual shards: whole experts, the same for any number of ranks up to that of shards.
std::vector<Stretch> cut_experts(const Mixture& mixture, int64_t ranks);

}  // namespace lmc
