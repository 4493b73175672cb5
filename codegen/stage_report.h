// What reports say of a stage: its kind, label and scope, its arithmetic and the bytes of weights it reads.
#pragma once

#include "codegen/stage.h"
#include "ir/graph_algorithms.h"

namespace lmc {

// Fills in these fields of `s.plan`, whose operands are there, in a step of up to `max_tokens` tokens.
// `only`: which values hang on weights alone.
void describe(Stage& s, const SideTable<ValueId, char>& only, int64_t max_tokens);

}  // namespace lmc
