// What a kernel is tried on: where the step stands in its sequence, and numbers for its operands.
#pragma once

#include <cstdint>

#include "codegen/kernel_spec.h"
#include "codegen/portion.h"
#include "ir/tensor.h"

namespace lmc::proof {

// Positions in the caches before a step of `tokens` tokens: far enough that windows have moved on and rings
// have wrapped, or that there are several chunks, and no further than caches and tables reach.
int64_t positions_before(const KernelSpec& spec, int64_t tokens);

// Numbers for an input of the body that is no weight.
Tensor seeded_activation(const KernelSpec& spec, size_t input, int64_t tokens, int64_t positions_before);

// The rows of a weight (weight_row with this key) that a portion asks for, of each matrix of a stack.
Tensor seeded_weight(const Type& type, uint64_t key, const PortionInput& part);

}  // namespace lmc::proof
