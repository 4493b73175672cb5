// Linears of every format and shape against the evaluator, on every target.
#include <gtest/gtest.h>

#include "agreement.h"
#include "codegen/codegen.h"
#include "codegen/target.h"
#include "codegen/weight_layout.h"
#include "ir/block_format.h"
#include "ir/text.h"
#include "passes/engine/lowering.h"
#include "side_by_side.h"

namespace lmc {
namespace {

TEST(Kernels, linear_f32_of_any_shape_agrees) {
  for (auto [k, n] :
       {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {8, 8}, {33, 9}, {64, 40}, {100, 257}, {7, 300}}) {
    const std::string w =
        "  weight @w : f32[" + num(n) + "," + num(k) + "]\n  weight @b : f32[" + num(n) + "]\n";
    for (int64_t t : {1, 2, 5, 48, 61}) expect_agreement(model(k, w, "  %y = linear(%x, @w, @b)\n"), t, 1e-5);
  }
}

TEST(Kernels, linear_q8_0_of_any_shape_agrees) {
  for (auto [k, n] :
       {std::pair<int64_t, int64_t>{1, 1}, {31, 5}, {32, 8}, {33, 9}, {96, 70}, {257, 24}, {64, 1200}}) {
    const std::string w = "  weight @w : bf16[" + num(n) + "," + num(k) + "]\n";
    for (int64_t t : {1, 3, 47, 130}) {
      expect_agreement(model(k, w, "  %q = quantize(%x)\n  %qw = quantize(@w)\n  %y = linear(%q, %qw)\n"), t,
                       1e-5);
    }
  }
}

TEST(KernelsInDepth, linear_of_few_bits_and_any_shape_agrees) {
  for (const std::string format : {"q4_0", "q4_k", "iq4_nl", "q5_0", "q5_k", "q6_k"}) {
    for (auto [k, n] : {std::pair<int64_t, int64_t>{1, 1}, {33, 9}, {257, 24}, {600, 200}}) {
      const std::string w = "  weight @w : bf16[" + num(n) + "," + num(k) + "]\n";
      const std::string body =
          "  %q = quantize(%x)\n  %qw = quantize(@w) {format=" + format + "}\n  %y = linear(%q, %qw)\n";
      expect_agreement(model(k, w, body), 47, 1e-5);  // in blocks of one, too
    }
  }
}

TEST(Kernels, linear_of_half_precision_and_any_shape_agrees) {
  for (const std::string format : {"f16", "bf16"}) {
    for (auto [k, n] : {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {33, 9}, {100, 257}}) {
      const std::string w = "  weight @w : f32[" + num(n) + "," + num(k) + "]\n";
      const std::string body = "  %qw = quantize(@w) {format=" + format + "}\n  %y = linear(%x, %qw)\n";
      expect_agreement(model(k, w, body), 48, 1e-5);
    }
  }
}

// However weights are asked for, the code is another, its results are not.
TEST(Kernels, results_do_not_depend_on_how_weights_are_asked_for) {
  const std::string into_first = ", i32 0, i32 3, i32 1)", into_second = ", i32 0, i32 2, i32 1)";
  for (const std::string format : {"q8_0", "q4_0", "bf16"}) {
    const bool floats = format == "bf16";
    const std::string text =
        model(96, "  weight @w : f32[70,96]\n",
              "  %qw = quantize(@w) {format=" + format + "}\n" + (floats ? "" : "  %q = quantize(%x)\n") +
                  "  %y = linear(" + (floats ? "%x" : "%q") + ", %qw)\n");
    const auto asks = [&](const std::string& prefetch, int64_t tokens, const std::string& how) {
      PassOptions passes;
      passes.settings["form-kernels"]["prefetch"] = prefetch;
      expect_agreement(text, 47, 1e-5, "native", passes);  // in steps of 1, 2, 3 … rows, too
      CodegenOptions options;
      options.context = 64;
      options.want_llvm = true;
      const std::string code = emit(lower(parse_graph(text), {tokens}, passes), options).llvm_ir;
      return code.find("call void @llvm.prefetch") != std::string::npos &&
             code.find(how) != std::string::npos;
    };
    EXPECT_TRUE(asks("2", 16, into_second)) << format;
    EXPECT_TRUE(asks("0", 16, into_first)) << format;
    // Of a row or two only where more would have blocks made ready.
    const Target& target = find_target("native");
    const WeightLayout& layout = target.layout(*dtype_from_name(format), 70, 96);
    EXPECT_EQ(asks("0", 1, into_first), layout.ready_bytes(target) > 0) << format;
  }
}

// Gate and up as halves of one weight, quantised as they come, then a projection of an odd width: for each
// layout, also those that a target does not choose.
TEST(KernelsInDepth, every_layout_agrees_on_every_target) {
  for (const WeightLayout* layout : all_weight_layouts()) {
    if (!is_weight_format(layout->dtype())) continue;  // another reading of what a layout holds
    const std::string format(dtype_name(layout->dtype()));
    const bool quantised = is_quantised(layout->dtype());
    const std::string of_x = quantised ? "q8_0" : "f32";
    const auto rounded = [&](const std::string& w) {
      return format == "f32" ? "concat(" + w + ") {axis=0}" : "quantize(" + w + ") {format=" + format + "}";
    };
    const std::string body =
        "  %u = " + rounded("@up") + "\n  %d = " + rounded("@down") + "\n  %t = tanh(%x)\n" +
        (quantised ? "  %xq = quantize(%t)\n" : "  %xq = scale(%t) {by=2}\n") +
        "  %m = group(%xq, %u) {name=up} : " + of_x + "[T,160] {\n    inputs (%x: " + of_x +
        "[T,72], %w: " + format +
        "[320,72])\n    %h = linear(%x, %w)\n    %a, %b = split(%h) {sizes=[160,160]}\n    %s = silu(%a)\n" +
        "    %p = mul(%s, %b)\n" +
        (quantised ? "    %q = quantize(%p)\n    return %q\n" : "    return %p\n") +
        "  }\n  %y = linear(%m, %d)\n";
    const std::string text = model(72, "  weight @up : f32[320,72]\n  weight @down : f32[51,160]\n", body);
    for (const Target* target : targets_here()) {
      SCOPED_TRACE(layout->name() + " on " + target->name());
      PassOptions passes;
      passes.settings["choose-layouts"]["rows"] = std::to_string(layout->group_rows());
      if (layout->kind() != WeightLayout::Kind::usual) {
        passes.settings["choose-layouts"]["kind"] = layout->high_plane() ? "planes" : "unsigned";
      }
      expect_agreement(text, 43, 1e-4, target->name(), passes);
    }
  }
}

TEST(KernelsInDepth, a_rounded_table_is_read_by_lookup_and_projection_alike) {
  for (const std::string format : {"q8_0", "q4_0", "q4_k", "iq4_nl", "q5_0", "q5_k", "q6_k", "f16"}) {
    for (int64_t dim : {40, 300}) {
      const std::string text =
          "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]) {\n  weight @embed : bf16[19," +
          num(dim) + "]\n  %t = quantize(@embed) {format=" + format +
          "}\n  %x = embedding(%tokens, %t)\n  %r = select_rows(%x, %out_rows)\n" +
          (format == "f16" ? "  %logits = linear(%r, %t)\n"
                           : "  %q = quantize(%r)\n  %logits = linear(%q, %t)\n") +
          "  return %logits\n}\n";
      expect_agreement(text, 9, 1e-4);
    }
  }
}

TEST(KernelsInDepth, a_head_of_any_size_names_its_largest_logit) {
  for (int64_t vocab : {1, 5, 8, 31, 64, 700}) {
    for (const bool capped : {false, true}) {
      const std::string text =
          "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]) {\n  weight @embed : f32[11,40]\n"
          "  weight @w : f32[" +
          num(vocab) + ",40]\n  %x = embedding(%tokens, @embed)\n  %r = select_rows(%x, %out_rows)\n" +
          (capped ? "  %logits = group(%r, @w) {name=head} : f32[R," + num(vocab) +
                        "] {\n    inputs (%r: f32[R,40], %w: f32[" + num(vocab) +
                        ",40])\n    %l = linear(%r, %w)\n    %c = softcap(%l) {cap=2}\n    return %c\n  }\n"
                  : std::string("  %logits = linear(%r, @w)\n")) +
          "  return %logits\n}\n";
      expect_agreement(text, 5, 2e-5);
    }
  }
}

TEST(Kernels, extreme_int8_values_are_exact) {
  // Weights of -1 and 1 only and activations likewise: every product is ±127², every sum as large as it can
  // be.
  const std::string text =
      model(256, "  weight @w : f32[64,256]\n",
            "  %big = scale(%x) {by=1e6}\n  %one = tanh(%big)\n  %q = quantize(%one)\n  %qw = quantize(@w)\n"
            "  %y = linear(%q, %qw)\n");
  expect_agreement(text, 3, 1e-6);
}

// Sums of few bits stay exact too where every activation is at its end.
TEST(Kernels, numbers_of_few_bits_at_their_ends_do_not_saturate) {
  for (const std::string format : {"q4_0", "q4_k", "iq4_nl", "q5_0", "q5_k", "q6_k"}) {
    const std::string text = model(256, "  weight @w : f32[64,256]\n",
                                   "  %big = scale(%x) {by=1e6}\n  %one = tanh(%big)\n  %q = quantize(%one)\n"
                                   "  %qw = quantize(@w) {format=" +
                                       format + "}\n  %y = linear(%q, %qw)\n");
    for (const Target* target : targets_here()) expect_agreement(text, 3, 1e-6, target->name());
  }
}

// Layers whose stages look alike share kernels, whatever the weights behind them need to know of their input.
TEST(Kernels, formats_stand_side_by_side_on_every_target) {
  const auto layer = [](const std::string& from, const std::string& to, const std::string& format) {
    return "  %n" + to + " = rms_norm(%" + from + ", @norm) {eps=1e-6}\n  %q" + to + " = quantize(%n" + to +
           ")\n  %w" + to + " = quantize(@w) {format=" + format + "}\n  %" + to + " = linear(%q" + to +
           ", %w" + to + ")\n";
  };
  const std::string weights = "  weight @norm : f32[64]\n  weight @w : f32[64,64]\n";
  for (const Target* target : targets_here()) {
    const std::string body = layer("x", "a", "q8_0") + layer("a", "b", "q8_0") + layer("b", "c", "q4_0") +
                             layer("c", "d", "q6_k") + layer("d", "e", "q5_0") + layer("e", "f", "q8_0") +
                             layer("f", "g", "q5_k") + layer("g", "y", "q4_k");
    expect_agreement(model(64, weights, body), 13, 1e-4, target->name());
  }
}

}  // namespace
}  // namespace lmc
