// What prepares queries and keys becomes one group with the cache they go to:
//
//        ┌─ %q ─ [rms_norm] ─ rope ─ %qr
//   %y ──┼─ %k ─ [rms_norm] ─ rope ─ kv_append      →     group { split, …, rope, rope, kv_append }
//        └─ %v ───────────────────────┘
//
// The code generator makes one kernel of neighbouring row ops in any case, so this gains nothing today; it
// says in the graph what is one kernel.
#include "passes/pattern/fusion.h"

namespace lmc {

LMC_FUSION(fuse_rope_append, "join QK-norm and rope with the cache that the keys go to")
    .on_request()
    .after("fuse-attention-out")
    .summary_if_any("fused {} ropes with their cache")
    .match(R"(
      %cache2 = kv_append(%cache, %kr, %vh, %pos)
      %kr = rope(%kn, %angles)
      optional %kn = rms_norm(%kh, %gk)
      %kh = reshape(%k)
      %vh = reshape(%v)
      %q, %k, %v = split(%y)
      %qr = rope(%qn, %angles)
      optional %qn = rms_norm(%qh, %gq)
      %qh = reshape(%q)
    )")
    .group();

}  // namespace lmc
