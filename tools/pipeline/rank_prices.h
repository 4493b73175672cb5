// What a model costs on several machines, predicted from the plans of its ranks: before anything is compiled,
// on machines and networks that need not be there.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "ir/machine.h"
#include "ir/network.h"
#include "passes/engine/lowering.h"
#include "passes/engine/manager.h"

namespace lmc {

struct RankPrice {
  int64_t ranks = 1;
  std::string split;        // the strategy: "tensor", "layers"
  double weight_bytes = 0;  // of the rank that has most
  double cache_bytes = 0;   // likewise, of one text
  int64_t texts = 1;        // that are written at once, a greedy token of each at a time
  int64_t under_way = 1;    // steps at once: of layers one on each rank, each with as many of the texts
  int64_t collectives = 0;  // of a step, in which the busiest rank has part
  double sent_bytes = 0;    // of a step, by that rank
  // Seconds of a step: what the slowest rank computes (of layers: all of them, one after the other), and what
  // is sent.
  double compute = 0, network = 0;
  double busiest = 0;  // rank: seconds in which it cannot have another step
  // Seconds that each further block of a prompt takes: while one rank has it, others have those around it.
  int64_t block = 0;  // its tokens
  double block_seconds = 0;
  std::vector<std::string> remarks;  // what could not be dealt out

  // Steps under way follow each other as fast as the busiest rank lets them.
  double seconds_a_token_of_each() const {
    return std::max(compute + network, static_cast<double>(under_way) * busiest);
  }
  double tokens_per_second() const { return static_cast<double>(texts) / seconds_a_token_of_each(); }
  double prompt_tokens_per_second() const { return static_cast<double>(block) / block_seconds; }
};

struct RankPriceOptions {
  PassOptions passes;  // those of one machine
  LoweringOptions lowering;
  MachineFigures machine;
  int64_t per_machine = 1;  // ranks that share one
  NetworkFigures network;
  int64_t position = 0;  // how long a text is already
  int64_t texts = 1;     // at most lowering.block

  int threads_a_rank() const { return static_cast<int>(std::max<int64_t>(machine.threads / per_machine, 1)); }
};

// Error if the model cannot be dealt out so.
RankPrice price_of_ranks(const Graph& model, int64_t ranks, const std::string& split,
                         const RankPriceOptions& options);

}  // namespace lmc
