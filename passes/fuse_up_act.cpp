// The activation behind the up projection (or behind gate and up) joins it in one group; the code generator
// applies it where the sums are, so that it runs on every core and its input is never written out:
//
//                    ┌─ %gate ─ gelu ─┐
//   linear [wg;wu] ──┤                mul ─ %h      →     group { linear, split, gelu, mul }
//                    └─ %up ──────────┘
//
// A quantize behind it comes along: a tile holds whole blocks of 32 outputs. So does a bias.
#include "passes/pattern/fusion.h"

namespace lmc {

LMC_FUSION(fuse_up_act, "join the activation with the up projection in front of it")
    .after("quantize")
    .before("fuse-down-act")
    .summary("fused {} activations with their up projection")
    .match(R"(
      %h = mul(%a, %up)
      optional %q = quantize(%h)
      %a = activation(%gate)
      %gate, %up = split(%y)
      %y = linear|linear_experts(%x, %w) {role=ffn_gate_up}
    )")
    .group()
    .match(R"(
      %a = activation(%y)
      optional %q = quantize(%a)
      %y = linear|linear_experts(%x, %w) {role=ffn_up}
    )")
    .group();

}  // namespace lmc
