// Attention taken apart. Its kernel is one fusion, so the parts are told by a variant of it that reads the
// processor's time stamp between them (StepInfo::cycles).
#pragma once

#include <array>

#include "ir/kernel_abi.h"
#include "tools/bundle/bundle.h"

namespace lmc {

// Share of each AttentionPart in the cycles of all of them; they add up to 1, or are all 0 without attention.
using AttentionShares = std::array<double, kAttentionParts>;

struct AttentionParts {
  AttentionShares prefill = {}, decode = {};
};

// Compiles the bundle's graph once more, for measuring, and feeds it `prompt` tokens and then `decode` more
// one by one. Error if what is compiled does not fit the bundle's plan.
AttentionParts measure_attention_parts(const Bundle& bundle, int threads, int64_t prompt, int64_t decode);

}  // namespace lmc
