// The contraction kernel: y[t, n] = sum over k of x[t, k] w[n, k], then the epilogue, over tiles of weight
// rows.
#pragma once

#include "codegen/kernels/builder.h"
#include "codegen/kernels/linear_form.h"

namespace lmc {

// Sums, results to be quantised, a mixture's list of rows.
int64_t linear_scratch_bytes(const LinearForm& form);

void emit_linear_kernel(KernelBuilder& k, const LinearForm& form);

}  // namespace lmc
