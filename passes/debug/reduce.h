// Shrinks a graph that fails to a small one that fails in the same way (delta debugging, Zeller 1999): fewer
// outputs, ops, inputs and weights, groups opened, attributes at their defaults, smaller dimensions.
#pragma once

#include <functional>
#include <string>

#include "passes/engine/manager.h"

namespace lmc {

// How a graph fails, in words that stay the same while it shrinks; "" if it does not fail.
using FailureOf = std::function<std::string(const Graph& g)>;

// Failing of a pass under the manager: which pass, and how (a message without names and numbers). Graphs that
// cannot be evaluated do not count. options.weights is not used: resized weights are in no checkpoint.
FailureOf pass_failure(PassOptions options);

struct ReduceOptions {
  FailureOf failure;
  // Asked before every attempt; false ends the search with what there is.
  std::function<bool()> go_on = [] { return true; };
  std::function<void(const std::string&)> progress = [](const std::string&) {};  // one line per step kept
};

struct ReduceResult {
  Graph graph;
  std::string failure;   // what was kept
  int64_t attempts = 0;  // graphs tried
  bool finished = true;  // false: go_on ended it
};

// The same graph and options give the same result. Error if `g` does not fail.
ReduceResult reduce(const Graph& g, const ReduceOptions& options);

}  // namespace lmc
