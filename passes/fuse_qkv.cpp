// Three projections of one input become one linear and a split:
//
//        ┌─ linear wq ─ %q                                  ┌─ %q
//   %x ──┼─ linear wk ─ %k     →     %x ─ linear [wq;wk;wv] ─┼─ %k
//        └─ linear wv ─ %v                                  └─ %v
//
// One weight stream instead of three, one kernel instead of three. Weights and biases are joined when
// compiling.
#include "passes/pattern/fusion.h"

namespace lmc {

LMC_FUSION(fuse_qkv, "merge the Q, K and V projections of one input")
    .after("canonicalise")
    .before("fold-weights")
    .summary("fused {} QKV triples")
    .setting("biased", {"use", "skip"}, "skip leaves projections with a bias alone")
    .match(R"(
      %q = linear(%x, %wq, %bq?) {role=attn_q}
      %k = linear(%x, %wk, %bk?) {role=attn_k}
      %v = linear(%x, %wv, %bv?) {role=attn_v}
    )")
    .when("all three have a bias, or none", "has(%bq) == has(%bk) == has(%bv)")
    .when("a bias is wanted", "not has(%bq) or setting(biased) == use")
    .when("the three weights have one dtype", "dtype(%wq) == dtype(%wk) == dtype(%wv)")
    .when("the three biases have one dtype", "not has(%bq) or dtype(%bq) == dtype(%bk) == dtype(%bv)")
    .rewrite(R"(
      %w = concat(%wq, %wk, %wv) {axis=0}
      optional %b = concat(%bq, %bk, %bv) {axis=0}
      %y = linear(%x, %w, %b?) {role=attn_qkv}
      %q, %k, %v = split(%y) {axis=-1, sizes=[rows(%wq), rows(%wk), rows(%wv)]}
    )");

}  // namespace lmc
