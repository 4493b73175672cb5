// The narrowest layout of every format.
#pragma once

#include "codegen/weight_layout.h"

namespace lmc {

inline const WeightLayout& eight_rows(DType format, int64_t = 0, int64_t = 0) {
  return widest_layout(format, 8);
}

}  // namespace lmc
