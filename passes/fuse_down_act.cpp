// The activation in front of the down projection joins it in one group; the code generator makes it the
// projection's prologue, so that activation, product and quantisation are one walk over the row:
//
//   %gate ─ gelu ─┐
//                 mul ─ [quantize] ─ linear down      →     group { gelu, mul, quantize, linear }
//   %up ──────────┘
#include "passes/pattern/fusion.h"

namespace lmc {

LMC_FUSION(fuse_down_act, "join the activation with the down projection that reads it")
    .after("quantize")
    .rival("fuse-up-act")
    .summary("fused {} activations with their down projection")
    .match(R"(
      %y = linear|linear_experts(%q, %w) {role=ffn_down}
      optional %q = quantize(%h)
      optional %h = mul(%a, %up)
      %a = activation(%gate)
    )")
    .group();

}  // namespace lmc
