// Rows of weights in a quantised format: taken from the checkpoint as they are where it has them, else
// quantised.
#pragma once

#include <cstdint>
#include <span>

#include "codegen/layout.h"
#include "ir/block_format.h"

namespace lmc {

// Rows [first, first + rows) of a weight-only value, `format.row_bytes(columns)` each. Views of whole rows
// are looked through, so that each part of a fused weight may be stored in the format or not. `errors`: of
// each of these rows.
void read_block_rows(const Graph& g, ValueId v, const WeightSource& source, const BlockFormat& format,
                     int64_t first, int64_t rows, std::span<std::byte> out, std::span<PackError> errors);

}  // namespace lmc
