// Three projections of one input become one linear and a split:
//
//        ┌─ linear wq ─ %q                                  ┌─ %q
//   %x ──┼─ linear wk ─ %k     →     %x ─ linear [wq;wk;wv] ─┼─ %k
//        └─ linear wv ─ %v                                  └─ %v
//
// One weight stream instead of three, one kernel instead of three. The weights are joined when compiling.
#include "passes/fusion.h"

namespace lmc {
namespace {

bool one_dtype(const Match& m) {
  return m.type("wq").dtype == m.type("wk").dtype && m.type("wk").dtype == m.type("wv").dtype;
}

}  // namespace

LMC_FUSION(fuse_qkv, "merge the Q, K and V projections of one input")
    .after("canonicalise")
    .before("fold-weights")
    .summary("fused {} QKV triples")
    .match(R"(
      %q = linear(%x, %wq) {role=attn_q}
      %k = linear(%x, %wk) {role=attn_k}
      %v = linear(%x, %wv) {role=attn_v}
    )")
    .when("the three weights have one dtype", one_dtype)
    .rewrite(R"(
      %w = concat(%wq, %wk, %wv) {axis=0}
      %y = linear(%x, %w) {role=attn_qkv}
      %q, %k, %v = split(%y) {axis=-1, sizes=[rows(%wq), rows(%wk), rows(%wv)]}
    )")
    .match(R"(
      %q = linear(%x, %wq, %bq) {role=attn_q}
      %k = linear(%x, %wk, %bk) {role=attn_k}
      %v = linear(%x, %wv, %bv) {role=attn_v}
    )")
    .variant("biased")
    .when("the three weights have one dtype", one_dtype)
    .when("the three biases have one dtype",
          [](const Match& m) {
            return m.type("bq").dtype == m.type("bk").dtype && m.type("bk").dtype == m.type("bv").dtype;
          })
    .rewrite(R"(
      %w = concat(%wq, %wk, %wv) {axis=0}
      %b = concat(%bq, %bk, %bv) {axis=0}
      %y = linear(%x, %w, %b) {role=attn_qkv}
      %q, %k, %v = split(%y) {axis=-1, sizes=[rows(%wq), rows(%wk), rows(%wv)]}
    )");

}  // namespace lmc
