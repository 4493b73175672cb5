// Why a pattern did not fire.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "passes/pattern/fusion.h"

namespace lmc {
namespace {

std::vector<std::string> misses(const FusionBuilder& pass, const std::string& graph) {
  Graph g = parse_graph(graph);
  PassContext context;
  make_fusion(pass)->run(g, context);
  return context.near_misses;
}

std::string layers(int count, const std::string& op) {
  std::string out = "graph @g (%x0: f32[T,4]) {\n";
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    out += "  scope layers." + n + ".ffn\n  %a" + n + " = " + op + "(%x" + n + ")\n  %x" +
           std::to_string(i + 1) + " = tanh(%a" + n + ")\n";
  }
  return out + "  return %x" + std::to_string(count) + "\n}\n";
}

TEST(Explain, places_that_are_alike_are_one_line) {
  const FusionBuilder pass = FusionBuilder("mine", "").match("%a = silu(%x)\n%y = relu(%a)").group();
  EXPECT_EQ(misses(pass, layers(12, "silu")),
            (std::vector<std::string>{"layers.0.ffn: there is no relu beside what matched (12 places, to "
                                      "layers.11.ffn)"}));
  EXPECT_EQ(misses(pass, layers(1, "silu")),
            (std::vector<std::string>{"layers.0.ffn: there is no relu beside what matched"}));
}

TEST(Explain, other_reasons_are_other_lines) {
  const FusionBuilder pass = FusionBuilder("mine", "")
                                 .match("%a = scale(%x) {by=$f}\n%y = tanh(%a)")
                                 .when("the factor is two", "$f == 2")
                                 .group();
  const std::vector<std::string> found = misses(
      pass,
      "graph @g (%x: f32[T,4]) {\n  %a = scale(%x) {by=3}\n  %b = tanh(%a)\n  %c = scale(%b) {by=4}\n  %y = "
      "tanh(%c)\n  return %y\n}\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], "refused, for it does not hold that the factor is two ($f is 3)");
}

TEST(Explain, where_nothing_is_what_the_pattern_begins_with_that_is_said) {
  const FusionBuilder pass = FusionBuilder("mine", "").match("%q = linear(%x, %w) {role=attn_q}").group();
  const std::string head = "graph @g (%x: f32[T,4]) {\n  weight @w : f32[4,4]\n";
  EXPECT_EQ(misses(pass, layers(1, "silu")),
            (std::vector<std::string>{"the search begins at linear role=attn_q, and there is none"}));
  EXPECT_EQ(misses(pass, head + "  %a = linear(%x, @w) {role=ffn_up}\n  %b = linear(%a, @w) {role=ffn_up}\n  "
                                "%c = linear(%b, @w) {role=lm_head}\n  return %c\n}\n"),
            (std::vector<std::string>{"the search begins at linear role=attn_q, and there is none: role is "
                                      "ffn_up, not attn_q (2 times), role is lm_head, not attn_q"}));
  EXPECT_EQ(
      misses(pass, head + "  %y = group(%x, @w) : f32[T,4] {\n    inputs (%x: f32[T,4], %w: f32[4,4])\n"
                          "    %q = linear(%x, %w) {role=attn_q}\n    return %q\n  }\n  return %y\n}\n"),
      (std::vector<std::string>{"the search begins at linear role=attn_q, and there is none outside "
                                "groups (1 inside)"}));
}

TEST(Explain, a_pass_that_fired_has_nothing_to_explain) {
  const FusionBuilder pass =
      FusionBuilder("mine", "").match("%y = tanh(%x)").group().match("%y = relu(%x)").group();
  EXPECT_TRUE(misses(pass, layers(3, "silu")).empty());
}

}  // namespace
}  // namespace lmc
