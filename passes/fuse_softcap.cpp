// The soft limit of the logits (Gemma 2) joins lm_head: it runs where the sums are, on every core, and the
// unlimited logits are never written:
//
//   %x ─ linear ─ %y ─ softcap ─ %logits      →     group { linear, softcap }
#include "passes/pattern/fusion.h"

namespace lmc {

LMC_FUSION(fuse_softcap, "join a soft limit with the projection in front of it")
    .after("fuse-up-act")
    .before("fuse-down-act")
    .summary_if_any("fused {} soft limits with their projection")
    .match(R"(
      %z = softcap(%y)
      %y = linear(%x, %w)
    )")
    .when("nothing else reads the projection", "one_use(%y)")
    .group();

}  // namespace lmc
