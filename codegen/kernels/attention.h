// Attention over the cache with online softmax.
#pragma once

#include "codegen/kernel_spec.h"
#include "codegen/kernels/builder.h"

namespace lmc {

// Scratch the kernel needs: probabilities of one block and one head's accumulator.
int64_t attention_scratch_bytes(int64_t value_dim);

void emit_attention_kernel(KernelBuilder& k, const KernelSpec& spec);

}  // namespace lmc
