// Row kernels, attention and groups against the evaluator: random groups, odd shapes, T from 1 to 130.
#include <gtest/gtest.h>

#include <random>

#include "agreement.h"
#include "codegen/codegen.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "passes/engine/lowering.h"
#include "quiet.h"

namespace lmc {
namespace {

TEST(Kernels, norms_of_any_width_agree) {
  for (int64_t n : {1, 2, 7, 8, 9, 63, 100}) {
    const std::string w = "  weight @w : f16[" + num(n) + "]\n  weight @b : bf16[" + num(n) + "]\n";
    expect_agreement(model(n, w, "  %y = rms_norm(%x, @w) {eps=1e-6, offset=1}\n"), 5, 1e-5);
    expect_agreement(model(n, w, "  %y = layer_norm(%x, @w, @b) {eps=1e-3}\n"), 5, 1e-4);
    expect_agreement(model(n, w, "  %y = layer_norm(%x, @w) {eps=1e-3}\n"), 5, 1e-4);
  }
}

TEST(KernelsInDepth, attention_over_rings_windows_and_grouped_heads_agrees) {
  struct Case {
    int64_t heads, kv_heads, dim, window, tokens;
    const char* cache;
    double softcap, alibi;
  };
  for (const Case& c : {Case{1, 1, 1, 0, 3, "kv_f32", 0, 0}, Case{4, 2, 12, 0, 130, "kv_f32", 0, 0},
                        Case{3, 1, 20, 5, 130, "kv_f32", 0, 0}, Case{2, 2, 9, 33, 100, "kv_f16", 0, 0},
                        Case{4, 1, 32, 64, 200, "kv_f16", 0, 0}, Case{2, 1, 16, 7, 60, "kv_f32", 5, 0},
                        Case{6, 3, 8, 0, 200, "kv_f32", 0, 0.5}, Case{2, 1, 8, 9, 40, "kv_f32", 3, 1},
                        Case{1, 1, 1, 0, 3, "kv_q8_0", 0, 0}, Case{4, 2, 12, 0, 130, "kv_q8_0", 0, 0},
                        Case{3, 1, 40, 5, 130, "kv_q8_0", 0, 0}, Case{4, 1, 64, 64, 200, "kv_q8_0", 0, 0},
                        Case{2, 2, 33, 33, 100, "kv_q8_0", 5, 0}, Case{7, 1, 72, 0, 70, "kv_q8_0", 0, 0.5}}) {
    const bool int8 = c.cache == std::string("kv_q8_0");
    const int64_t width = (c.heads + 2 * c.kv_heads) * c.dim;
    const int64_t q = c.heads * c.dim;
    const int64_t kv = c.kv_heads * c.dim;
    const std::string body =
        "  %q, %k, %v = split(%x) {sizes=[" + num(q) + "," + num(kv) + "," + num(kv) +
        "]}\n  %qh = reshape(%q) {shape=[" + num(c.heads) + "," + num(c.dim) +
        "]}\n  %kh = reshape(%k) {shape=[" + num(c.kv_heads) + "," + num(c.dim) +
        "]}\n  %vh = reshape(%v) {shape=[" + num(c.kv_heads) + "," + num(c.dim) + "]}\n" +
        (c.dim % 2 == 0 ? "  %an = rope_angles(%pos) {dims=" + num(c.dim) +
                              ", theta=10000, factor=2}\n  %qr = rope(%qh, %an)\n"
                        : std::string("  %qr = scale(%qh) {by=1}\n")) +
        (int8 ? "  %qa = quantize(%qr)\n" : "") +
        "  %kv1 = kv_append(%kv, %kh, %vh, %pos)\n  %y = attention(" + (int8 ? "%qa" : "%qr") +
        ", %kv1, %pos) {scale=0.5, window=" + num(c.window) + ", softcap=" + std::to_string(c.softcap) +
        ", alibi=" + std::to_string(c.alibi) + "}\n";
    const std::string cache = std::string(", %kv: ") + c.cache + "[" + num(c.window > 0 ? c.window : 256) +
                              "," + num(c.kv_heads) + "," + num(c.dim) + "]";
    expect_agreement(model(width, "", body, "%y", cache), c.tokens, int8 ? 2e-2 : 2e-5);
  }
}

// In one token's step with more chunks than one, too: the sinks join when the chunks are merged.
TEST(Kernels, attention_with_sinks_agrees) {
  struct Case {
    int64_t heads, kv_heads, dim, window, tokens;
    const char* cache;
  };
  for (const Case& c : {Case{1, 1, 1, 0, 1, "kv_f32"}, Case{4, 2, 12, 0, 200, "kv_f32"},
                        Case{6, 1, 20, 5, 150, "kv_f32"}, Case{9, 3, 8, 0, 60, "kv_q8_0"}}) {
    const bool int8 = c.cache == std::string("kv_q8_0");
    const int64_t kv = c.kv_heads * c.dim;
    const std::string body = "  %q, %k, %v = split(%x) {sizes=[" + num(c.heads * c.dim) + "," + num(kv) +
                             "," + num(kv) + "]}\n  %qh = reshape(%q) {shape=[" + num(c.heads) + "," +
                             num(c.dim) + "]}\n  %kh = reshape(%k) {shape=[" + num(c.kv_heads) + "," +
                             num(c.dim) + "]}\n  %vh = reshape(%v) {shape=[" + num(c.kv_heads) + "," +
                             num(c.dim) + "]}\n" +
                             (int8 ? "  %qa = quantize(%qh)\n" : "  %qa = scale(%qh) {by=1}\n") +
                             "  %kv1 = kv_append(%kv, %kh, %vh, %pos)\n  %y = attention(%qa, %kv1, %pos, "
                             "@sinks) {scale=0.5, window=" +
                             num(c.window) + "}\n";
    const std::string cache = std::string(", %kv: ") + c.cache + "[" + num(c.window > 0 ? c.window : 256) +
                              "," + num(c.kv_heads) + "," + num(c.dim) + "]";
    expect_agreement(model((c.heads + 2 * c.kv_heads) * c.dim,
                           "  weight @sinks : bf16[" + num(c.heads) + "]\n", body, "%y", cache),
                     c.tokens, int8 ? 2e-2 : 2e-5);
  }
}

TEST(Kernels, bounds_and_constants_agree) {
  expect_agreement(model(37, "",
                         "  %c = clamp(%x) {low=-0.5, high=0.25}\n  %h = clamp(%c) {high=0.2}\n"
                         "  %y = shift(%h) {by=1.5}\n"),
                   5, 1e-6);
}

// Stacks of matrices [in, out], of which every second output is wanted; the first half of the columns.
TEST(Kernels, parts_of_stacks_and_their_transposes_agree) {
  const std::string w =
      "  weight @router : f32[4,12]\n  weight @up : bf16[4,12,18]\n  weight @down : f32[4,12,18]\n"
      "  weight @b : bf16[4,18]\n  weight @c : f32[4,12]\n";
  expect_agreement(model(12, w,
                         "  %s = linear(%x, @router) {role=moe_router}\n  %p, %ids = route(%s) {k=2}\n"
                         "  %u = linear_experts(%x, slice(transpose(@up)) {axis=1, start=1, size=1, "
                         "every=2}, %ids, slice(@b) "
                         "{axis=1, start=1, size=1, every=2})\n  %a = silu(%u)\n"
                         "  %d = linear_experts(%a, slice(@down) {axis=2, start=0, size=9}, %ids, @c)\n"
                         "  %y = weighted_sum(%d, %p)\n"),
                   9, 1e-5);
}

TEST(Kernels, rows_taken_from_every_block_of_a_weight_agree) {
  const std::string w = "  weight @w : bf16[30,12]\n  weight @b : f32[30]\n";
  expect_agreement(
      model(12, w,
            "  %y = linear(%x, slice(@w) {start=2, size=3, every=6}, slice(@b) {start=2, size=3, "
            "every=6})\n"),
      9, 1e-5);
  // Parts of such rows, and columns.
  expect_agreement(
      model(12, w, "  %y = linear(%x, slice(slice(@w) {start=1, size=4, every=10}) {start=3, size=6})\n"), 5,
      1e-5);
  expect_agreement(model(20, "  weight @w : f32[12,30]\n",
                         "  %y = linear(%x, slice(@w) {axis=1, start=1, size=2, every=3})\n"),
                   5, 1e-5);
}

TEST(Kernels, rotation_in_bands_of_frequency_agrees) {
  expect_agreement(
      model(40, "",
            "  %h = reshape(%x) {shape=[2,20]}\n  %an = rope_angles(%pos) {dims=20, theta=500, factor=8, "
            "low_freq_factor=1, high_freq_factor=4, original=32}\n  %p = rope(%h, %an)\n"
            "  %y = reshape(%p) {shape=[40]}\n"),
      40, 1e-5);
}

TEST(Kernels, partial_rotation_leaves_the_rest_alone) {
  expect_agreement(model(40, "",
                         "  %h = reshape(%x) {shape=[2,20]}\n  %an = rope_angles(%pos) {dims=6, theta=100}\n "
                         " %p = rope(%h, %an)\n"
                         "  %y = reshape(%p) {shape=[40]}\n"),
                   9, 1e-5);
}

TEST(Kernels, rotation_of_neighbouring_lanes_agrees) {
  for (const auto& [heads, dim, turned] : {std::tuple<int64_t, int64_t, int64_t>{1, 2, 2},
                                           {2, 20, 6},
                                           {3, 16, 16},
                                           {2, 72, 34},
                                           {1, 64, 64},
                                           {2, 50, 48}}) {
    const std::string width = num(heads * dim);
    expect_agreement(
        model(heads * dim, "",
              "  %h = reshape(%x) {shape=[" + num(heads) + "," + num(dim) +
                  "]}\n  %an = rope_angles(%pos) {dims=" + num(turned) +
                  ", theta=100}\n  %p = rope(%h, %an) {interleaved=1}\n  %y = reshape(%p) {shape=[" + width +
                  "]}\n"),
        9, 1e-5);
  }
}

TEST(Kernels, rotation_with_the_ramp_of_yarn_agrees) {
  for (const char* truncate : {"0", "1"}) {
    expect_agreement(
        model(40, "",
              std::string("  %h = reshape(%x) {shape=[2,20]}\n  %an = rope_angles(%pos) {dims=20, theta=500, "
                          "factor=8, beta_fast=32, beta_slow=1, original=512, short_scale=1.25, truncate=") +
                  truncate + "}\n  %p = rope(%h, %an)\n  %y = reshape(%p) {shape=[40]}\n"),
        40, 1e-5);
  }
}

// A random chain of elementwise ops over %x and a vector, as text.
std::string random_chain(std::mt19937& random, const std::string& from, const std::string& other, int length,
                         std::string& last) {
  static const char* const unary[] = {"gelu_tanh", "gelu_erf", "silu", "relu", "tanh"};
  std::string out;
  last = from;
  for (int i = 0; i < length; ++i) {
    const std::string name = "%c" + std::to_string(random());
    switch (random() % 5) {
      case 0:
        out += "  " + name + " = add(" + last + ", " + other + ")\n";
        break;
      case 1:
        out += "  " + name + " = mul(" + last + ", @vector)\n";
        break;
      case 2:
        out += "  " + name + " = scale(" + last + ") {by=0.75}\n";
        break;
      case 3:
        out += "  " + name + " = softcap(" + last + ") {cap=3}\n";
        break;
      default:
        out += "  " + name + " = " + unary[random() % 5] + "(" + last + ")\n";
    }
    last = name;
  }
  return out;
}

TEST(KernelsInDepth, random_groups_agree) {
  std::mt19937 random(7);
  for (int round = 0; round < 24; ++round) {
    const auto n = static_cast<int64_t>(random() % 90 + 1);
    const bool quantised = random() % 2 == 0;
    const bool norm_after = random() % 2 == 0;
    const auto prologue = static_cast<int>(random() % 4);
    const auto epilogue = static_cast<int>(random() % 4);
    std::string last;
    std::string body = "    inputs (%a: f32[T," + num(n) + "], %w: " + (quantised ? "q8_0" : "f32") + "[" +
                       num(n) + "," + num(n) + "], %vec: f32[" + num(n) + "])\n";
    std::string chain = random_chain(random, "%a", "%a", prologue, last);
    body += chain;
    if (quantised) {
      body += "    %q = quantize(" + last + ")\n";
      last = "%q";
    }
    body += "    %l = linear(" + last + ", %w)\n";
    body += random_chain(random, "%l", "%a", epilogue, last);
    if (norm_after) {
      body += "    %nn = rms_norm(" + last + ", %vec) {eps=1e-5}\n    %ad = add(%nn, %a)\n";
      last = "%ad";
    }
    for (size_t at = 0; (at = body.find("@vector", at)) != std::string::npos;) body.replace(at, 7, "%vec");
    const std::string weights =
        "  weight @w : f32[" + num(n) + "," + num(n) + "]\n  weight @vector : f32[" + num(n) + "]\n";
    const std::string group = std::string(quantised ? "  %qw = quantize(@w)\n" : "") + "  %y = group(%x, " +
                              (quantised ? "%qw" : "@w") + ", @vector) {name=random} : f32[T," + num(n) +
                              "] {\n" + body + "    return " + last + "\n  }\n";
    // Activations that are quantised may fall on either side of a tie.
    expect_agreement(model(n, weights, group), static_cast<int64_t>(random() % 60 + 1),
                     quantised ? 2e-2 : 2e-4);
  }
}

// In a step of one token each worker computes these rows for itself; what others read is still there for
// them.
TEST(Kernels, rows_in_front_of_a_linear_that_others_read_too_agree) {
  for (int64_t n : {1, 9, 40, 100}) {
    for (const bool quantised : {false, true}) {
      const std::string w =
          "  weight @w : f32[" + num(n) + "," + num(n) + "]\n  weight @g : f32[" + num(n) + "]\n";
      const std::string dims = "," + num(n) + "]";
      const std::string body =
          std::string(quantised ? "  %qw = quantize(@w)\n" : "") + "  %s, %y1 = group(%x, " +
          (quantised ? "%qw" : "@w") + ", @g) {name=norm} : f32[T" + dims + ", f32[T" + dims +
          " {\n    inputs (%a: f32[T" + dims + ", %w: " + (quantised ? "q8_0[" : "f32[") + num(n) + dims +
          ", %g: f32[" + num(n) + "])\n    %t = tanh(%a)\n    %s = add(%a, %t)\n" +
          "    %n = rms_norm(%s, %g) {eps=1e-6}\n" +
          (quantised ? "    %q = quantize(%n)\n    %l = linear(%q, %w)\n" : "    %l = linear(%n, %w)\n") +
          "    %z = add(%l, %s)\n    return %s, %z\n  }\n  %y = add(%s, %y1)\n";
      for (int64_t t : {1, 20}) expect_agreement(model(n, w, body), t, quantised ? 2e-2 : 2e-4);
    }
  }
}

TEST(Kernels, rows_chosen_in_front_of_the_last_linear_agree) {
  const std::string text =
      "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]) {\n  weight @embed : f32[11,40]\n"
      "  weight @w : f32[11,40]\n  weight @g : f32[40]\n  %x = embedding(%tokens, @embed)\n"
      "  %logits = group(%x, %out_rows, @w, @g) {name=head} : f32[R,11] {\n"
      "    inputs (%a: f32[T,40], %rows: i32[R], %w: f32[11,40], %g: f32[40])\n    %s = add(%a, %a)\n"
      "    %r = select_rows(%s, %rows)\n    %n = rms_norm(%r, %g) {eps=1e-6}\n    %l = linear(%n, %w)\n"
      "    %c = softcap(%l) {cap=2}\n    return %c\n  }\n  return %logits\n}\n";
  for (int64_t t : {1, 20}) expect_agreement(text, t, 2e-5);
}

TEST(Kernels, attention_in_one_group_with_its_projection_agrees) {
  for (const bool quantised : {false, true}) {
    const std::string w = "  weight @w : f32[32,32]\n";
    const std::string body =
        std::string(quantised ? "  %qw = quantize(@w)\n" : "") +
        "  %h = reshape(%x) {shape=[4,8]}\n  %kv1 = kv_append(%kv, %h, %h, %pos)\n  %y = group(%h, %kv1, "
        "%pos, " +
        (quantised ? "%qw" : "@w") + ", %x) {name=out} : f32[T,32] {\n    inputs (%h: f32[T,4,8], %kv: " +
        "kv_f32[256,4,8], %p: i32[T], %w: " + (quantised ? "q8_0" : "f32") + "[32,32], %r: f32[T,32])\n" +
        "    %a = attention(%h, %kv, %p) {scale=0.5}\n" +
        (quantised ? "    %q = quantize(%a)\n    %l = linear(%q, %w)\n" : "    %l = linear(%a, %w)\n") +
        "    %s = add(%r, %l)\n    return %s\n  }\n";
    for (int64_t t : {1, 150}) {
      expect_agreement(model(32, w, body, "%y", ", %kv: kv_f32[256,4,8]"), t, quantised ? 2e-2 : 2e-4);
    }
  }
}

TEST(Kernels, a_group_with_two_contractions_is_refused_with_the_reason) {
  const std::string text =
      model(8, "  weight @w : f32[8,8]\n",
            "  %y = group(%x, @w) {name=two} : f32[T,8] {\n    inputs (%a: f32[T,8], %w: f32[8,8])\n"
            "    %b = linear(%a, %w)\n    %c = linear(%b, %w)\n    return %c\n  }\n");
  Graph g = parse_graph(text);
  try {
    lower(std::move(g), {16}, quiet());
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("holds two contractions"), std::string::npos) << e.what();
  }
}

TEST(Kernels, a_linear_over_several_rows_of_a_token_is_refused_with_the_reason) {
  Graph g = parse_graph(model(8, "  weight @w : f32[4,4]\n",
                              "  %h = reshape(%x) {shape=[2,4]}\n  %l = linear(%h, @w)\n"
                              "  %y = reshape(%l) {shape=[8]}\n"));
  try {
    lower(std::move(g), {16}, quiet());
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("linear %l reads f32[1,2,4]"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace lmc
