// The residual sum joins the projection in front of it; the code generator adds where the sums are, so that
// the projection's own output is never written:
//
//   %r ──────────────────┐
//   %x ─ linear ─ %y ─ add ─ %s      →     group { linear, add }
//
// A norm between projection and sum (Gemma's post norms) needs the whole row first: it goes with what
// follows, see fuse_norm_linear.cpp.
#include "passes/pattern/fusion.h"

namespace lmc {

LMC_FUSION(fuse_residual, "join the residual sum with the projection in front of it")
    .after("fuse-up-act")
    .after("fuse-down-act")
    .summary_if_any("fused {} residual sums with their projection")
    .match(R"(
      %s = add(%r, %y)
      %y = linear(%x, %w)
    )")
    .when("nothing else reads the projection", "one_use(%y)")
    .group();

}  // namespace lmc
