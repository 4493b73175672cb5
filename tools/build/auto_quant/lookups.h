// Which tensors are tables that ids are looked up in.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

struct Lookups {
  bool any = false;   // there are some
  bool only = false;  // and the tensor is read by nothing else
};
// Of a tensor of the checkpoint, in a graph as the model file says it.
Lookups lookups(const Graph& model, const std::string& tensor);

// The tensors that are only looked up: words where the last projection has a matrix of its own, positions.
std::vector<std::string> tables(const Graph& model);

}  // namespace lmc
