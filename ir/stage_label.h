// Kernels in words.
#pragma once

#include <string>

#include "ir/plan.h"

namespace lmc {

// "linear ffn_gate_up [1,1152]x[13824,1152] q8_0 +gelu_tanh +mul behind rms_norm quantize", of a step of so
// many tokens and rows of logits; T and R where they are not said (-1).
std::string stage_label(const StageWork& work, int64_t tokens = -1, int64_t rows = -1);

}  // namespace lmc
