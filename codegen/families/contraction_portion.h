// Some rows of a contraction's weight as a kernel of their own, for checking.
#pragma once

#include "codegen/kernels/linear_form.h"
#include "codegen/portion.h"

namespace lmc {

// The outputs of tile `tile` of each share: rows [first, first + count) of the weight, in each half where
// there are two. Everything behind the contraction is elementwise over its outputs, so columns can be taken
// alone.
Portion contraction_portion(const LinearForm& form, int64_t tile, int64_t tiles_of_share, int64_t shares);

}  // namespace lmc
