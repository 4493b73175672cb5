// The part of a model that makes its last hidden states: what the projection to logits reads.
#pragma once

#include <optional>

#include "ir/graph.h"

namespace lmc {

// `model` with those states instead of logits as its first output, f32[R,width], before they are quantised:
//
//   %n = rms_norm(%r, @norm)                          %n = rms_norm(%r, @norm)
//   %n.q8 = quantize(%n)                         →    return %n, %kv, …
//   %logits = linear(%n.q8, @w) {role=lm_head}
//   return %logits, %kv, …
//
// also where these stand in a group. Nothing if no linear of that role leads to the logits.
std::optional<Graph> hidden_states(const Graph& model);

}  // namespace lmc
