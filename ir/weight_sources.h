// Where the rows of a weight expression come from.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// `rows` output features of a checkpoint tensor, each `step`-th from `first` on: rows of a [out, in] matrix,
// columns of one that is transposed on the way (GPT-2's Conv1D), elements of a vector.
struct WeightRows {
  std::string tensor;
  int64_t first = 0;
  int64_t rows = 0;
  int64_t of = 0;    // how many the tensor has
  int64_t step = 1;  // of a single row always 1

  int64_t row(int64_t i) const { return first + i * step; }
  // Which of them is the tensor's row `r`? -1: none.
  int64_t index(int64_t r) const {
    const int64_t i = (r - first) / step;
    return r >= first && i < rows && row(i) == r ? i : -1;
  }
  // "wte.weight", or for a part "h.0.attn.c_attn.weight[0:768]", "experts.gate_up_proj[0:127:2]".
  std::string str() const;
  bool operator==(const WeightRows&) const = default;
};

// The rows of `v`, a weight or an expression over weights, in order. Neighbours of one tensor are joined, and
// rows of one that are equally far apart.
// What arithmetic makes of several tensors counts as the first one's.
std::vector<WeightRows> weight_rows(const Graph& g, ValueId v);
// Of many values in one walk over the graph.
std::vector<std::vector<WeightRows>> weight_rows(const Graph& g, std::span<const ValueId> values);

// Rows [first, first + rows) of those.
std::vector<WeightRows> part_of(const std::vector<WeightRows>& all, int64_t first, int64_t rows);

}  // namespace lmc
