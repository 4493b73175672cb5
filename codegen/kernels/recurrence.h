// Recurrent states, token by token.
#pragma once

#include "codegen/kernel_spec.h"
#include "codegen/kernels/builder.h"

namespace lmc {

// A tile has one head, or of few heads one block of columns each.
int64_t recurrence_tiles(int64_t heads, int64_t values);

void emit_recurrence_kernel(KernelBuilder& k, const KernelSpec& spec);

}  // namespace lmc
