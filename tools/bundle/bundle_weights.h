// The weights of a bundle as numbers again, for the reference evaluator.
#pragma once

#include "ir/graph.h"
#include "ir/weights.h"
#include "tools/bundle/bundle.h"

namespace lmc {

class BundleWeights : public WeightSource {
 public:
  explicit BundleWeights(const Bundle& bundle);
  std::optional<Type> type(const std::string& name) const override;
  void read(const std::string& name, int64_t first, std::span<float> out) const override;

 private:
  const Bundle& bundle_;
  std::vector<const void*> addresses_;
};

// The bundle's graph with every `pack` result as a weight of its own name, so that it needs no checkpoint.
Graph graph_over_packed(const Bundle& bundle);

}  // namespace lmc
