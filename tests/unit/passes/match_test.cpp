// Patterns: what they match, what they refuse, and what a mistake in their text says.
#include "passes/pattern/match.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "passes/pattern/rewrite.h"

namespace lmc {
namespace {

std::optional<Match> first_match(const Graph& g, const Pattern& p) {
  for (OpId id : p.anchors(g)) {
    if (auto m = p.match_at(g, id, nullptr)) return m;
  }
  return std::nullopt;
}

std::string pattern_error(const std::string& text) {
  try {
    Pattern(text, "mine.cpp", false, 10);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

const char* const kTwoRoots = R"(graph @g (%x: f32[T,4], %z: f32[T,4]) {
  %b = tanh(%x)
  %a = silu(%x)
  %c = silu(%z)
  return %a, %b, %c
})";

TEST(Match, a_pattern_is_a_set_of_statements_with_several_roots) {
  const Graph g = parse_graph(kTwoRoots);
  const auto m = first_match(g, Pattern("%p = silu(%in)\n%q = tanh(%in)", "t"));
  ASSERT_TRUE(m);
  EXPECT_EQ(g.value((*m)["p"]).name, "a");
  EXPECT_EQ(g.value((*m)["q"]).name, "b");
  const auto reversed = first_match(g, Pattern("%q = tanh(%in)\n%p = silu(%in)", "t"));
  ASSERT_TRUE(reversed);
  EXPECT_EQ((*reversed)["p"], (*m)["p"]);
}

TEST(Match, two_statements_never_stand_for_one_op) {
  const Graph g = parse_graph("graph @g (%x: f32[T,4]) {\n%a = silu(%x)\nreturn %a\n}");
  EXPECT_FALSE(first_match(g, Pattern("%a = silu(%x)\n%b = silu(%x)", "t")));
}

TEST(Match, it_tries_other_ops_when_the_first_choice_leads_nowhere) {
  const Graph g = parse_graph(R"(graph @g (%x: f32[T,4]) {
    %wrong = silu(%x)
    %right = silu(%x)
    %root = tanh(%x)
    %y = relu(%right)
    return %wrong, %root, %y
  })");
  const auto m = first_match(g, Pattern("%r = tanh(%x)\n%s = silu(%x)\n%y = relu(%s)", "t"));
  ASSERT_TRUE(m);
  EXPECT_EQ(g.value((*m)["s"]).name, "right");
}

TEST(Match, commutative_operands_are_tried_both_ways_even_after_a_dead_end) {
  const Graph g = parse_graph(R"(graph @g (%x: f32[T,4], %z: f32[T,4]) {
    %a = silu(%x)
    %b = silu(%z)
    %t = tanh(%z)
    %y = mul(%a, %b)
    return %y, %t
  })");
  const auto m = first_match(g, Pattern("%y = mul(%p, %q)\n%p = silu(%in)\n%t = tanh(%in)", "t"));
  ASSERT_TRUE(m);
  EXPECT_EQ(g.value((*m)["p"]).name, "b");
}

TEST(Match, sub_is_not_commutative) {
  const Graph g =
      parse_graph("graph @g (%x: f32[T,4], %z: f32[T,4]) {\n%a = silu(%x)\n%y = sub(%z, %a)\nreturn %y\n}");
  EXPECT_FALSE(first_match(g, Pattern("%y = sub(%a, %z)\n%a = silu(%x)", "t")));
  EXPECT_TRUE(first_match(g, Pattern("%y = sub(%z, %a)\n%a = silu(%x)", "t")));
}

TEST(Match, attributes_of_every_kind_must_be_equal) {
  const Graph g = parse_graph(R"(graph @g (%x: f32[T,8]) {
    %s = scale(%x) {by=2}
    %a, %b = split(%s) {sizes=[4,4]}
    return %a, %b
  })");
  EXPECT_TRUE(first_match(g, Pattern("%s = scale(%x) {by=2}", "t")));
  EXPECT_FALSE(first_match(g, Pattern("%s = scale(%x) {by=3}", "t")));
  EXPECT_TRUE(first_match(g, Pattern("%a, %b = split(%x) {axis=-1, sizes=[4,4]}", "t")));
  EXPECT_FALSE(first_match(g, Pattern("%a, %b = split(%x) {sizes=[4]}", "t")));
  EXPECT_FALSE(first_match(g, Pattern("%a, %b = split(%x) {sizes=[4,5]}", "t")));
}

TEST(Match, an_optional_operand_counts_unless_the_pattern_is_open) {
  const Graph g = parse_graph(
      "graph @g (%x: f32[T,4]) {\nweight @w : f32[4,4]\nweight @b : f32[4]\n%y = linear(%x, @w, @b)\nreturn "
      "%y\n}");
  EXPECT_FALSE(first_match(g, Pattern("%y = linear(%x, %w)", "t")));
  EXPECT_TRUE(first_match(g, Pattern("%y = linear(%x, %w, %b)", "t")));
  EXPECT_TRUE(first_match(g, Pattern("%y = linear(%x, %w)", "t", true)));
}

TEST(Match, a_text_that_can_match_nothing_is_an_error_at_its_line) {
  EXPECT_NE(pattern_error("\n%y = siluu(%x)").find("mine.cpp:11"), std::string::npos);
  EXPECT_NE(pattern_error("%y = linear(%x, %w) {roel=attn_q}").find("no attribute 'roel'"),
            std::string::npos);
  EXPECT_NE(pattern_error("%y = silu(%x, %z)").find("takes 1 operands"), std::string::npos);
  EXPECT_NE(pattern_error("%y = silu(%x)\n%z = silu(%v)").find("shares no value"), std::string::npos);
  EXPECT_NE(pattern_error("%y = silu(%x)\n%y = tanh(%x)").find("defined twice"), std::string::npos);
  EXPECT_NE(pattern_error("%y = linear(%x, @w)").find("%values"), std::string::npos);
  EXPECT_NE(pattern_error("%y = scale(%x) {by=rows(%x)}").find("constant"), std::string::npos);
  EXPECT_NE(pattern_error("").find("empty"), std::string::npos);
}

TEST(Match, a_set_with_a_path_through_the_outside_cannot_be_replaced) {
  const Graph g = parse_graph(R"(graph @g (%x: f32[T,4]) {
    %a = silu(%x)
    %between = tanh(%a)
    %y = add(%a, %between)
    return %y
  })");
  const auto m = first_match(g, Pattern("%y = add(%a, %b)\n%a = silu(%x)", "t"));
  ASSERT_TRUE(m);
  EXPECT_NE(replace_obstacle(g, m->ops, {}), "");
}

}  // namespace
}  // namespace lmc
