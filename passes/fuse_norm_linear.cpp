// A norm joins the linear that reads it, with the residual sum (and Gemma's post norm) in front of it:
//
//   %z ─ [norm] ─ [add] ─ %x ─ norm ─ %n ─ [quantize] ─ linear    →    group { norm, add, norm, …, linear }
//                          └─ the next residual sum
//
// In a step of one token the row is the linear's prologue: each core computes it for itself instead of
// waiting for the one that does. Longer steps have rows for every core, and nothing changes. Behind the
// linear may be what it has joined already (an activation, a sum, a soft limit).
#include "passes/pattern/fusion.h"

namespace lmc {

LMC_FUSION(fuse_norm_linear, "join a norm, and the sum in front of it, with the linear that reads it")
    .after("fuse-residual")
    .after("fuse-softcap")
    .after("fuse-attention-out")
    .summary_if_any("fused {} norms with the linear behind them")
    .match(R"(
      %y = linear|group(%q, %w)
      optional %q = quantize(%n)
      %n = rms_norm|layer_norm(%s, %g)
      optional %s = select_rows(%x, %rows)
      %x = add(%p, %r)
      %p = rms_norm|layer_norm(%z, %gp)
    )")
    .when("nothing else reads the normalised row", "one_use(%n) and one_use(%q)")
    .group()
    .match(R"(
      %y = linear|group(%q, %w)
      optional %q = quantize(%n)
      %n = rms_norm|layer_norm(%s, %g)
      optional %s = select_rows(%x, %rows)
      optional %x = add(%p, %r)
    )")
    .when("nothing else reads the normalised row", "one_use(%n) and one_use(%q)")
    .group();

}  // namespace lmc
