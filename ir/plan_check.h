// Does a plan that was read from a file stay within what it names?
#pragma once

#include "ir/plan.h"

namespace lmc {

// Throws Error naming the stage, buffer or cache whose bytes or index lie outside: an operand outside its
// buffer, weight, cache, input or the logits, a buffer outside the arena, a cache whose size is not what its
// shape makes. What kernels do with the operands is theirs: this is no judgement of machine code.
void check_plan(const Plan& plan);

}  // namespace lmc
