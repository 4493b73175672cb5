// Whole layers to each rank: the way of strategies that split the role "layers" (layers.cpp).
#pragma once

#include <cstdint>
#include <string>

#include "ir/graph.h"

namespace lmc {

struct LayersDealt {
  bool changed = false;
  std::string summary;
};

// Makes `g` the graph of all ranks: what one has made and another reads is sent by an `all_gather` of one
// part to one rank. Ranks get neighbouring layers, with as many bytes of weights each as can be; what is in
// front of the layers belongs to rank 0, what is behind them to the last one, and logits go to rank 0. What
// depends on positions alone is computed by whoever reads it. Nothing changes for one rank, so its bits are
// those of a model that is not dealt out. Error where there are fewer layers than ranks, or more than one
// value goes from a rank to others.
LayersDealt deal_layers(Graph& g, int64_t ranks);

}  // namespace lmc
