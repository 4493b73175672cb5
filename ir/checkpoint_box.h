// Reads a rectangle of a checkpoint's tensor in runs as long as they come.
#pragma once

#include "ir/graph.h"
#include "ir/weight_view.h"
#include "ir/weights.h"

namespace lmc {

// `box` is of a view whose leaf is `tensor`; its rows are written `stride` numbers apart.
void read_box(const WeightSource& source, const Value& tensor, const WeightBox& box, float* out,
              int64_t stride);

}  // namespace lmc
