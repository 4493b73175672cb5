// The two projections in front of a gated activation become one linear and a split:
//
//        ┌─ linear wg ─ %gate                             ┌─ %gate
//   %x ──┤                       →    %x ─ linear [wg;wu] ┤
//        └─ linear wu ─ %up                               └─ %up
//
// Those of experts likewise: the rows of both in each expert's matrix.
#include "passes/pattern/fusion.h"

namespace lmc {

LMC_FUSION(fuse_gate_up, "merge the gate and up projections of one input")
    .after("fuse-qkv")
    .before("fold-weights")
    .summary("fused {} gate+up pairs")
    .setting("biased", {"use", "skip"}, "skip leaves projections with a bias alone")
    .match(R"(
      %gate = linear(%x, %wg, %bg?) {role=ffn_gate}
      %up = linear(%x, %wu, %bu?) {role=ffn_up}
    )")
    .when("both have a bias, or none", "has(%bg) == has(%bu)")
    .when("a bias is wanted", "not has(%bg) or setting(biased) == use")
    .when("the two weights have one dtype", "dtype(%wg) == dtype(%wu)")
    .when("the two biases have one dtype", "not has(%bg) or dtype(%bg) == dtype(%bu)")
    .rewrite(R"(
      %w = concat(%wg, %wu) {axis=0}
      optional %b = concat(%bg, %bu) {axis=0}
      %y = linear(%x, %w, %b?) {role=ffn_gate_up}
      %gate, %up = split(%y) {axis=-1, sizes=[rows(%wg), rows(%wu)]}
    )")
    .match(R"(
      %gate = linear_experts(%x, %wg, %ids, %bg?) {role=ffn_gate}
      %up = linear_experts(%x, %wu, %ids, %bu?) {role=ffn_up}
    )")
    .when("both have a bias, or none", "has(%bg) == has(%bu)")
    .when("a bias is wanted", "not has(%bg) or setting(biased) == use")
    .when("the two biases have one dtype", "not has(%bg) or dtype(%bg) == dtype(%bu)")
    .when("the two weights have one dtype", "dtype(%wg) == dtype(%wu)")
    .when("kernels find the parts of an expert's rows", "not reshaped(%gate) and not reshaped(%up)")
    .rewrite(R"(
      %w = concat(%wg, %wu) {axis=1}
      optional %b = concat(%bg, %bu) {axis=1}
      %y = linear_experts(%x, %w, %ids, %b?) {role=ffn_gate_up}
      %gate, %up = split(%y) {axis=-1, sizes=[cols(%gate), cols(%up)]}
    )");

}  // namespace lmc
