// Which packed weights of several ranks' graphs are the same numbers in the same layout, so that a bundle
// stores them once.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

class WeightIdentity {
 public:
  // A number for each of these values of a graph, all of which depend on weights alone: two of them, in
  // whatever graphs, have the same number only if the same ops make them of the same tensors of the
  // checkpoint.
  std::vector<int64_t> of(const Graph& g, std::span<const ValueId> values);

 private:
  int64_t number(const std::string& text);

  std::map<std::string, int64_t> known_;  // an op on numbered values, or a tensor
};

}  // namespace lmc
