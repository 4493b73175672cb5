// Rows of weights in a format: taken from the checkpoint as they are where it has them, else rounded to it.
#pragma once

#include <span>

#include "codegen/layout.h"
#include "ir/block_format.h"
#include "ir/weight_reader.h"

namespace lmc {

// All rows of a view, `format.row_bytes(columns)` each, one after the other. Each part of a fused weight may
// be stored in the format or not. `errors`: of each row, what is lost is added to it. `inputs`: by which
// numbers are rounded.
void read_block_rows(const WeightReader& reader, const WeightView& view, const BlockFormat& format,
                     std::span<std::byte> out, std::span<PackError> errors,
                     const InputStatistics& inputs = {});

}  // namespace lmc
