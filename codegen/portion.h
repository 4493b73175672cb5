// A part of a kernel that can be checked by itself, so that no lm_head of 300 million weights must be
// evaluated in double precision: some tiles, and a smaller body that computes what these write.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace lmc {

struct Range {
  int64_t first = 0, count = 0;
};

// Which part of one of the kernel's inputs an input of the smaller body is.
struct PortionInput {
  size_t input = 0;                                                       // of the kernel's body
  enum class Part : uint8_t { whole, rows, columns } part = Part::whole;  // rows: of each matrix of a stack
  std::vector<Range> ranges;                                              // joined
};

struct Portion {
  std::vector<int64_t> tiles;
  Graph body;
  std::vector<PortionInput> inputs;         // one per input of `body`
  std::vector<std::vector<Range>> columns;  // of each output; empty: all
};

// Everything at once: all tiles, the body as it is.
Portion whole_kernel(const Graph& body, int64_t tiles);

}  // namespace lmc
