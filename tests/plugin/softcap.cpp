// A soft limit written out in three ops becomes the op of that name:
//
//   scale {by=1/c} ─ tanh ─ scale {by=c}     →     softcap {cap=c}
#include "passes/engine/plugin.h"

LMC_PLUGIN

namespace lmc {

LMC_FUSION(find_softcap, "recognise a soft limit that is written out")
    .after("canonicalise")
    .before("fuse-qkv")
    .summary("found {} soft limits")
    .match(R"(
      %a = scale(%x) {by=$inverse}
      %b = tanh(%a)
      %y = scale(%b) {by=$cap}
    )")
    .when("the factors are inverse to each other", "abs($inverse * $cap - 1) < 1e-12")
    .when("the limit is above 0", [](const Match& m) { return std::get<double>(m.attr("cap")) > 0; })
    .rewrite("%y = softcap(%x) {cap=$cap}");

}  // namespace lmc
