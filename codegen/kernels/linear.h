// The contraction kernel: y[t, n] = sum over k of x[t, k] w[n, k], then the epilogue, over tiles of weight
// rows.
#pragma once

#include "codegen/kernels/builder.h"
#include "codegen/stage.h"

namespace lmc {

inline constexpr int64_t kRowBlock = 8;  // rows of activations in registers when there are many

// Of a stage whose matrix has so many groups of 8 rows (of each half): needs its groups_per_tile.
int64_t linear_tiles(const Stage& stage, int64_t groups);
// Of a step of up to so many tokens: results to be quantised, a mixture's list of rows.
int64_t linear_scratch_bytes(const Stage& stage, int64_t max_tokens);

void emit_linear_kernel(KernelBuilder& k, const Stage& stage);

}  // namespace lmc
