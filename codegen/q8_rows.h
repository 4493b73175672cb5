// Rows of weights as blocks of Q8_0: taken from the checkpoint as they are where it has them, else quantised.
#pragma once

#include <cstdint>
#include <span>

#include "codegen/layout.h"

namespace lmc {

// A block as GGUF's Q8_0 stores it.
struct Q8Block {
  uint16_t scale;  // f16
  int8_t q[kQ8Block];
};
static_assert(sizeof(Q8Block) == 34);

inline int64_t q8_blocks(int64_t cols) { return (cols + kQ8Block - 1) / kQ8Block; }

// Rows [first, first + rows) of a weight-only value. Views of whole rows are looked through, so that each
// part of a fused weight may be stored in Q8_0 or not. `errors`: of each of these rows.
void read_q8_rows(const Graph& g, ValueId v, const WeightSource& source, int64_t first, int64_t rows,
                  std::span<Q8Block> out, std::span<PackError> errors);

}  // namespace lmc
