// Quantising of activations, where a row kernel or the epilogue of a linear does it.
#pragma once

#include <array>

#include "codegen/kernels/row_kernel.h"

namespace lmc {

// Stores elements [first, first + 32) of sub-row `outer` of the current token's row of `result` (Q8_0) from
// four vectors of 8. `first` is a multiple of 32.
void store_quantised(RowEmitter& e, ValueId result, llvm::Value* outer, llvm::Value* first,
                     const std::array<llvm::Value*, 4>& parts);

}  // namespace lmc
