// The contraction kernel: y[t, n] = sum over k of x[t, k] w[n, k], then the epilogue, over tiles of weight
// rows.
#pragma once

#include "codegen/kernels/builder.h"
#include "codegen/stage.h"

namespace lmc {

// Scratch of a linear that quantises its output: f32 [8 tokens][outputs of a tile].
int64_t linear_scratch_bytes(int64_t groups_per_tile);

void emit_linear_kernel(KernelBuilder& k, const Stage& stage);

}  // namespace lmc
