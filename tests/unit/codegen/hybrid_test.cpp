// What layers that are not plain attention bring: keys and values of different widths, short convolutions,
// rows put together again, routing by groups. Against the evaluator, with the same bits in any step.
#include <gtest/gtest.h>

#include "agreement.h"
#include "codegen/target.h"
#include "ir/error.h"

namespace lmc {
namespace {

TEST(Kernels, keys_and_values_of_different_widths_agree) {
  struct Case {
    int64_t heads, kv_heads, key, value, window, tokens;
    const char* cache;
  };
  for (const Case& c : {Case{1, 1, 1, 9, 0, 5, "kv_f32"}, Case{4, 2, 20, 10, 0, 200, "kv_f32"},
                        Case{4, 4, 24, 16, 7, 60, "kv_f16"}, Case{6, 2, 12, 40, 0, 150, "kv_f16"},
                        Case{2, 1, 96, 64, 0, 140, "kv_q8_0"}, Case{4, 2, 20, 40, 9, 60, "kv_q8_0"},
                        Case{3, 1, 72, 10, 0, 40, "kv_q8_0"}}) {
    const bool int8 = c.cache == std::string("kv_q8_0");
    const int64_t q = c.heads * c.key, k = c.kv_heads * c.key, v = c.kv_heads * c.value;
    const std::string body =
        "  %q, %k, %v = split(%x) {sizes=[" + num(q) + "," + num(k) + "," + num(v) +
        "]}\n  %qh = reshape(%q) {shape=[" + num(c.heads) + "," + num(c.key) +
        "]}\n  %kh = reshape(%k) {shape=[" + num(c.kv_heads) + "," + num(c.key) +
        "]}\n  %vh = reshape(%v) {shape=[" + num(c.kv_heads) + "," + num(c.value) + "]}\n" +
        (int8 ? "  %qa = quantize(%qh)\n" : "  %qa = scale(%qh) {by=1}\n") +
        "  %kv1 = kv_append(%kv, %kh, %vh, %pos)\n  %y = attention(%qa, %kv1, %pos) {scale=0.4, window=" +
        num(c.window) + "}\n";
    const std::string cache = std::string(", %kv: ") + c.cache + "[" + num(c.window > 0 ? c.window : 256) +
                              "," + num(c.kv_heads) + "," + num(c.key) + "," + num(c.value) + "]";
    expect_agreement(model(q + k + v, "", body, "%y", cache), c.tokens, int8 ? 2e-2 : 2e-5);
  }
}

// As such a layer has it: gates in front and behind.
std::string gated(int64_t dim, int64_t taps, bool bias, bool in_one_group) {
  const std::string d = num(dim);
  const std::string weights =
      "  weight @w : bf16[" + d + ",1," + num(taps) + "]\n" + (bias ? "  weight @b : f32[" + d + "]\n" : "");
  const std::string body =
      "%bx = mul(%b, %cx)\n%rows1 = rows_append(%rows, %bx, %pos)\n%conv = short_conv(%rows1, %pos, "
      "%taps" +
      std::string(bias ? ", %bias" : "") + ")\n%y = mul(%c, %conv)\n";
  const std::string split = "  %b, %c, %cx = split(%x) {sizes=[" + d + "," + d + "," + d + "]}\n" +
                            "  %taps = transpose(flatten(@w))\n" +
                            (bias ? "  %bias = scale(@b) {by=1}\n" : "");
  const std::string rows = "kv_f32[" + num(taps) + "," + d + "]";
  const std::string wide = "f32[T," + d + "]";
  const std::string group =
      "  %y, %rows1 = group(%b, %c, %cx, %rows, %pos, %taps" + std::string(bias ? ", %bias" : "") +
      ") {name=gated} : " + wide + ", " + rows + " {\n    inputs (%b: " + wide + ", %c: " + wide +
      ", %cx: " + wide + ", %rows: " + rows + ", %pos: i32[T], %taps: bf16[" + num(taps) + "," + d + "]" +
      (bias ? ", %bias: f32[" + d + "]" : "") + ")\n" + body + "    return %y, %rows1\n  }\n";
  return model(3 * dim, weights, split + (in_one_group ? group : body), "%y", ", %rows: " + rows);
}

TEST(Kernels, short_convolutions_agree) {
  struct Case {
    int64_t dim, taps, tokens;
    bool bias;
  };
  for (const Case& c : {Case{1, 1, 4, false}, Case{7, 3, 100, false}, Case{56, 3, 200, true},
                        Case{40, 4, 9, true}, Case{24, 2, 130, false}, Case{9, 64, 150, true}}) {
    for (const bool in_one_group : {false, true})
      expect_agreement(gated(c.dim, c.taps, c.bias, in_one_group), c.tokens, 1e-5);
  }
}

TEST(Kernels, short_convolutions_agree_on_every_target) {
  for (const Target* target : targets_here())
    expect_agreement(gated(48, 3, true, false), 70, 1e-5, target->name());
}

TEST(Kernels, rows_put_together_again_agree) {
  for (const auto& [heads, a, b] : {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1}, {4, 12, 8}, {3, 7, 20}}) {
    const std::string body =
        "  %s, %h = split(%x) {sizes=[" + num(b) + "," + num(heads * (a + b)) +
        "]}\n  %one = reshape(%s) {shape=[1," + num(b) + "]}\n  %hh = reshape(%h) {shape=[" + num(heads) +
        "," + num(a + b) + "]}\n  %p, %q = split(%hh) {sizes=[" + num(a) + "," + num(b) +
        "]}\n  %j = join(%q, %one, %p)\n  %y = reshape(%j) {shape=[" + num(heads * (a + 2 * b)) + "]}\n";
    expect_agreement(model(b + heads * (a + b), "", body), 21, 1e-6);
    expect_agreement(model(b + heads * (a + b), "",
                           "  %s, %h = split(%x) {sizes=[" + num(b) + "," + num(heads * (a + b)) +
                               "]}\n  %y = join(%h, %s)\n"),
                     5, 1e-6);
  }
}

TEST(Kernels, routing_by_sigmoids_and_groups_agrees) {
  for (const std::string attrs : {"k=1", "k=8, normalise=0", "k=3, groups=4, kept=2, factor=2.5",
                                  "k=6, groups=2, kept=2", "k=4, groups=8, kept=2, normalise=0"}) {
    for (const bool bias : {false, true}) {
      const std::string body = "  %p, %ids = route(%x" + std::string(bias ? ", @b" : "") +
                               ") {score=sigmoid, " + attrs +
                               "}\n  %e = linear_experts(%x, stack(@w0, @w1, @w2, @w3, @w4, @w5, @w6, @w7, "
                               "@w8, @w9, @w10, @w11, @w12, @w13, @w14, @w15), %ids)\n  %y = "
                               "weighted_sum(%e, %p)\n";
      std::string weights = bias ? "  weight @b : f32[16]\n" : "";
      for (int e = 0; e < 16; ++e) weights += "  weight @w" + num(e) + " : f32[12,16]\n";
      expect_agreement(model(16, weights, body), 40, 1e-5);
    }
  }
}

}  // namespace
}  // namespace lmc
