// The contraction kernel: y[t, n] = sum over k of x[t, k] w[n, k], then the epilogue, over tiles of weight
// rows.
#pragma once

#include "codegen/kernels/builder.h"
#include "codegen/stage.h"

namespace lmc {

// Scratch of a linear that quantises its output: 8 tokens x 32 outputs.
inline constexpr int64_t kLinearScratchBytes = 8 * 32 * 4;

void emit_linear_kernel(KernelBuilder& k, const Stage& stage);

}  // namespace lmc
