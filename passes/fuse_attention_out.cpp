// Attention and its output projection become one group. Two contractions are two kernels, since every output
// of the projection needs every head; but what lies between, the merge of attention's chunks and the
// quantisation, becomes the projection's prologue in a step of one token: one kernel less to wait for.
//
//   attention ─ [quantize] ─ linear      →     group { attention, quantize, linear }
//
// The projection may have joined its residual sum already.
#include "passes/pattern/fusion.h"

namespace lmc {

LMC_FUSION(fuse_attention_out, "join attention with its output projection")
    .after("fuse-residual")
    .summary_if_any("fused {} attentions with their output projection")
    .match(R"(
      %y = linear|group(%q, %w)
      optional %q = quantize(%a)
      %a = attention(%queries, %kv, %pos)
    )")
    .when("nothing else reads what attention makes", "one_use(%a) and one_use(%q)")
    .group();

}  // namespace lmc
