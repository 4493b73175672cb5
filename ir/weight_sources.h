// Where the rows of a weight expression come from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// `rows` output features of a checkpoint tensor, from `first` on: rows of a [out, in] matrix, columns of one
// that is transposed on the way (GPT-2's Conv1D), elements of a vector.
struct WeightRows {
  std::string tensor;
  int64_t first = 0;
  int64_t rows = 0;
  int64_t of = 0;  // how many the tensor has

  std::string str() const;  // "wte.weight", or "h.0.attn.c_attn.weight[0:768]" for a part
  bool operator==(const WeightRows&) const = default;
};

// The rows of `v`, a weight or an expression over weights, in order. Neighbours of one tensor are joined.
// What arithmetic makes of several tensors counts as the first one's.
std::vector<WeightRows> weight_rows(const Graph& g, ValueId v);
// Of many values in one walk over the graph.
std::vector<std::vector<WeightRows>> weight_rows(const Graph& g, std::span<const ValueId> values);

// Rows [first, first + rows) of those.
std::vector<WeightRows> part_of(const std::vector<WeightRows>& all, int64_t first, int64_t rows);

}  // namespace lmc
