// Mixtures of experts against the evaluator.
#include <gtest/gtest.h>

#include "agreement.h"
#include "codegen/target.h"
#include "side_by_side.h"

namespace lmc {
namespace {

// A router and a gated network of `experts`, of which each token takes `chosen`; with the activation in one
// group with the projection in front of it or behind it, as the passes do, or in none.
enum class With { none, up, down };

// `format` of the experts' weights: what bf16 ones are quantised to, or bf16 or f32, as they come. Where the
// router is `even`, all experts look alike to it: it always picks the first ones. With `of` experts in all,
// those that there are are number `first` and following.
std::string experts_text(int64_t dim, int64_t ffn, int64_t experts, int64_t chosen, const std::string& format,
                         With with, bool even, int64_t first = 0, int64_t of = 0) {
  const int64_t routed = of > 0 ? of : experts;
  const std::string part = of > 0 ? " {first=" + num(first) + ", of=" + num(of) + "}" : "";
  const bool quantised = is_quantised(*dtype_from_name(format));
  std::string weights = "  weight @router : f32[" + num(routed) + "," + num(dim) + "]\n";
  const std::string from = format == "f32" ? " : f32[" : " : bf16[";
  std::string gates, ups, downs;
  for (int64_t e = 0; e < experts; ++e) {
    const std::string comma = e > 0 ? ", @" : "@";
    weights += "  weight @g" + num(e) + from + num(ffn) + "," + num(dim) + "]\n  weight @u" + num(e) + from +
               num(ffn) + "," + num(dim) + "]\n  weight @d" + num(e) + from + num(dim) + "," + num(ffn) +
               "]\n";
    gates += comma + "g" + num(e);
    ups += comma + "u" + num(e);
    downs += comma + "d" + num(e);
  }
  const std::string q = quantised ? "q" : "";
  const std::string x_type = (quantised ? "q8_0[T," : "f32[T,") + num(dim) + "]";
  const std::string stored = format + "[";
  const std::string w_type = stored + num(experts) + "," + num(2 * ffn) + "," + num(dim) + "]";
  const std::string h_type = (quantised ? "q8_0[T," : "f32[T,") + num(chosen) + "," + num(ffn) + "]";
  const std::string wq = format == "bf16" || format == "f32" ? "" : "q";
  std::string body = "  %l = linear(%x, @router)\n  %s = scale(%l) {by=" + std::string(even ? "0" : "1") +
                     "}\n  %p, %ids = route(%s) {k=" + num(chosen) + "}\n" + "  %w = concat(stack(" + gates +
                     "), stack(" + ups + ")) {axis=1}\n  %dw = stack(" + downs + ")\n";
  if (quantised) body += "  %xq = quantize(%x)\n";
  for (const std::string w : {"w", "dw"}) {
    if (!wq.empty()) body += "  %" + w + "q = quantize(%" + w + ") {format=" + format + "}\n";
  }
  const std::string up = "  %gu = linear_experts(%x" + q + ", %w" + wq + ", %ids)" + part + "\n";
  std::string act = "  %gate, %up = split(%gu) {sizes=[" + num(ffn) + "," + num(ffn) +
                    "]}\n  %a = silu(%gate)\n  %h = mul(%a, %up)\n";
  if (quantised) act += "  %hq = quantize(%h)\n";
  const std::string down = "  %d = linear_experts(%h" + q + ", %dw" + wq + ", %ids)" + part + "\n";
  const std::string ids = ", %ids: i32[T," + num(chosen) + "])\n";
  if (with == With::up) {
    body += "  %h" + q + " = group(%x" + q + ", %w" + wq + ", %ids) {name=up} : " + h_type +
            " {\n    inputs (%x" + q + ": " + x_type + ", %w" + wq + ": " + w_type + ids + up + act +
            "    return %h" + q + "\n  }\n" + down;
  } else if (with == With::down) {
    const std::string gu_type = "f32[T," + num(chosen) + "," + num(2 * ffn) + "]";
    body += up + "  %d = group(%gu, %dw" + wq + ", %ids) {name=down} : f32[T," + num(chosen) + "," +
            num(dim) + "] {\n    inputs (%gu: " + gu_type + ", %dw" + wq + ": " + stored + num(experts) +
            "," + num(dim) + "," + num(ffn) + "]" + ids + act + down + "    return %d\n  }\n";
  } else {
    body += up + act + down;
  }
  if (of == 0) return model(dim, weights, body + "  %y = weighted_sum(%d, %p)\n");
  body += "  %y = weighted_sum(%d, %p, %ids) {borders=[" + num(first) + "," + num(first + 1) + "," +
          num(first + experts) + "], of=" + num(of) + "}\n";
  return model(dim, weights, body);
}

struct Mixture {
  int64_t dim, ffn, experts, chosen, tokens;
  const char* format;
  With with;
  bool even = false;
  int64_t first = 0, of = 0;
};

void expect_mixture_agrees(const Mixture& c, const std::string& target = "native") {
  // Activations that are quantised may fall on either side of a tie.
  expect_agreement(experts_text(c.dim, c.ffn, c.experts, c.chosen, c.format, c.with, c.even, c.first, c.of),
                   c.tokens, is_quantised(*dtype_from_name(c.format)) ? 2e-2 : 1e-5, target);
}

TEST(KernelsInDepth, experts_of_any_shape_agree) {
  for (const Mixture& c : {Mixture{5, 1, 1, 1, 3, "bf16", With::none},
                           {8, 8, 2, 1, 5, "bf16", With::up},
                           {33, 9, 3, 2, 60, "bf16", With::down},
                           {40, 44, 6, 2, 20, "f16", With::up},
                           {40, 44, 6, 2, 13, "q8_0", With::none},
                           {64, 64, 4, 3, 60, "q8_0", With::up},
                           {24, 160, 3, 3, 21, "q8_0", With::up},
                           {24, 160, 3, 2, 7, "q8_0", With::down},
                           {32, 96, 5, 2, 70, "q4_0", With::up},
                           {32, 96, 5, 2, 41, "iq4_nl", With::up},
                           {96, 64, 3, 2, 47, "q4_k", With::up},
                           {96, 64, 3, 2, 47, "q6_k", With::up},
                           {64, 96, 5, 2, 43, "q5_k", With::up},
                           {32, 64, 3, 2, 41, "q5_0", With::up}})
    expect_mixture_agrees(c);
}

// Many tokens for one expert, in numbers that blocks of 8 divide and do not divide, and experts without any.
TEST(Kernels, experts_that_all_tokens_or_none_choose_agree) {
  for (const auto& [tokens, chosen] : {std::pair<int64_t, int64_t>{15, 1}, {83, 2}}) {
    expect_mixture_agrees({40, 44, 5, chosen, tokens, "f32", With::none, true});
    expect_mixture_agrees({32, 64, 5, chosen, tokens, "q8_0", With::up, true});
  }
}

// A rank has some of the experts: the first, those in the middle, the last, and some that nobody chooses.
TEST(Kernels, experts_beside_those_of_other_ranks_agree) {
  for (const Mixture& c : {Mixture{24, 9, 2, 3, 31, "f32", With::none, false, 0, 6},
                           {40, 44, 2, 3, 20, "f16", With::up, false, 2, 6},
                           {32, 64, 3, 3, 70, "q8_0", With::up, false, 4, 7},
                           {24, 160, 2, 2, 21, "q4_0", With::down, false, 1, 5},
                           {32, 64, 2, 2, 21, "q8_0", With::up, true, 3, 5}})
    expect_mixture_agrees(c);
}

TEST(Kernels, experts_of_several_tiles_agree_on_every_target) {
  for (const Target* target : targets_here())
    expect_mixture_agrees({64, 512, 3, 2, 50, "q8_0", With::up}, target->name());
}

// By the unit of matrix_unit_test.cpp: sixteens of an expert's rows, 12 to 15 left over and fewer.
TEST(MatrixUnitInDepth, experts_agree) {
  for (const Mixture& c : {Mixture{32, 64, 1, 1, 31, "q8_0", With::none},
                           {40, 96, 3, 2, 95, "q8_0", With::up},
                           {64, 96, 3, 2, 71, "q4_0", With::down},
                           {96, 64, 3, 2, 66, "q4_k", With::up},
                           {33, 64, 2, 1, 60, "q5_k", With::none},
                           {32, 64, 3, 3, 46, "q8_0", With::up, false, 4, 7}})
    expect_mixture_agrees(c, "emulated-unit");
}

TEST(Kernels, shares_of_all_experts_agree) {
  expect_agreement(model(20, "  weight @router : f32[11,20]\n",
                         "  %s = linear(%x, @router)\n  %p, %ids = route(%s) {k=4, normalise=0}\n"
                         "  %h = reshape(%x) {shape=[4,5]}\n  %y = weighted_sum(%h, %p)\n"),
                   9, 1e-5);
}

}  // namespace
}  // namespace lmc
