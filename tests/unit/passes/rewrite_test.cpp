// Replacements and groups, and what a mistake in a replacement's text says.
#include "passes/pattern/rewrite.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "ir/verify.h"
#include "passes/engine/manager.h"
#include "passes/pattern/fusion.h"

namespace lmc {
namespace {

const char* const kChain = R"(graph @g (%x: f32[T,4]) {
  scope layers.3.ffn
  %a = silu(%x)
  %y = tanh(%a)
  return %y
})";

// Runs a pass made here, as the manager would but for its checks.
std::string run(const FusionBuilder& pass, const std::string& text, PassContext context = {}) {
  Graph g = parse_graph(text);
  try {
    make_fusion(pass)->run(g, context);
  } catch (const Error& e) {
    return e.what();
  }
  verify(g);
  return print_graph(g);
}

FusionBuilder chain(const std::string& replacement) {
  return FusionBuilder("mine", "").match("%a = silu(%x)\n%y = tanh(%a)").rewrite(replacement);
}

TEST(Rewrite, new_ops_take_the_name_and_scope_of_what_they_replace) {
  EXPECT_EQ(run(chain("%y = relu(%x)"), kChain),
            "graph @g (%x: f32[T,4]) {\n  scope layers.3.ffn\n  %y = relu(%x) : f32[T,4]\n  return %y\n}\n");
}

TEST(Rewrite, attributes_are_computed_from_shapes) {
  const auto pass =
      FusionBuilder("mine", "")
          .match("%y = linear(%x, %w)")
          .rewrite(
              "%v = slice(%w) {start=rows(%w) - 2 * 2, size=cols(%w) / 2 + 2}\n%y = linear(%x, %w)\n"
              "%z = linear(%x, %v)");
  const std::string text =
      run(pass, "graph @g (%x: f32[T,4]) {\nweight @w : f32[8,4]\n%y = linear(%x, @w)\nreturn %y\n}");
  EXPECT_NE(text.find("slice(@w) {start=4, size=4}"), std::string::npos) << text;
}

TEST(Rewrite, a_mistake_in_its_text_is_an_error_at_its_line) {
  EXPECT_NE(run(chain("%y = add(%a, %x)"), kChain).find("%a is made by a matched op"), std::string::npos);
  EXPECT_NE(run(chain("%y = relu(%nothing)"), kChain).find("%nothing is not defined"), std::string::npos);
  EXPECT_NE(run(chain("%x = relu(%x)"), kChain).find("cannot be redefined"), std::string::npos);
  EXPECT_NE(run(chain("%y = relu(%x)\n%y = relu(%x)"), kChain).find("defined twice"), std::string::npos);
  EXPECT_NE(run(chain("%y = siluu(%x)"), kChain).find("unknown op"), std::string::npos);
  EXPECT_NE(run(chain("%y = reshape(%x) {shape=[2,2]}"), kChain).find("would change from"),
            std::string::npos);
  EXPECT_NE(run(chain("%y = reshape(%x) {shape=[rows(%x)]}"), kChain).find("a number in the list, found T"),
            std::string::npos);
  EXPECT_NE(run(chain("%y = reshape(%x) {shape=[5 / 2]}"), kChain).find("must be integers, found [2.5]"),
            std::string::npos);
  EXPECT_NE(run(chain("%y = reshape(%x) {shape=[4 / 0]}"), kChain).find("division by zero"),
            std::string::npos);
  EXPECT_NE(run(chain("%y = reshape(%x) {shape=[9223372036854775807 + 1]}"), kChain)
                .find("no whole number of 64 bits"),
            std::string::npos);
  const std::string at = run(chain("%y = siluu(%x)"), kChain);
  EXPECT_NE(at.find("passes/rewrite_test.cpp:"), std::string::npos) << at;
}

TEST(Rewrite, the_line_named_is_that_of_the_statement_in_the_source) {
  const int line = __LINE__;
  const auto pass = FusionBuilder("mine", "")
                        .before("quantize")
                        .match(R"(
                          %a = silu(%x)
                          %y = tanh(%a)
                        )")
                        .rewrite(R"(
                          %b = relu(%x)
                          %y = relu(%nothing)
                        )");
  const std::string text = run(pass, kChain);
  EXPECT_NE(text.find("passes/rewrite_test.cpp:" + std::to_string(line + 9) + ":"), std::string::npos)
      << text;
}

TEST(Rewrite, a_result_that_vanishes_may_have_no_other_reader) {
  const std::string shared =
      "graph @g (%x: f32[T,4]) {\n%a = silu(%x)\n%y = tanh(%a)\n%z = relu(%a)\nreturn %y, %z\n}";
  Graph g = parse_graph(shared);
  PassContext context;
  EXPECT_FALSE(make_fusion(chain("%y = relu(%x)"))->run(g, context));
  ASSERT_EQ(context.near_misses.size(), 1u);
  EXPECT_NE(context.near_misses[0].find("%a is also read by relu %z"), std::string::npos);
}

TEST(Group, results_used_outside_become_its_outputs) {
  const auto pass = FusionBuilder("mine", "").match("%a = silu(%x)\n%y = tanh(%a)").group("pair");
  const std::string text =
      run(pass, "graph @g (%x: f32[T,4]) {\n%a = silu(%x)\n%y = tanh(%a)\n%z = relu(%a)\nreturn %y, %z\n}");
  EXPECT_NE(text.find("%a, %y = group(%x) {name=pair}"), std::string::npos) << text;
}

TEST(Group, a_path_through_the_outside_refuses_it) {
  const auto pass = FusionBuilder("mine", "").match("%y = add(%a, %b)\n%a = silu(%x)").group();
  const std::string text =
      run(pass, "graph @g (%x: f32[T,4]) {\n%a = silu(%x)\n%b = tanh(%a)\n%y = add(%a, %b)\nreturn %y\n}");
  EXPECT_EQ(text.find("group"), std::string::npos) << text;
}

TEST(Fusion, of_overlapping_matches_the_first_in_topological_order_wins) {
  const auto pass = FusionBuilder("mine", "").match("%a = silu(%x)\n%b = silu(%a)").group();
  const std::string text =
      run(pass, "graph @g (%x: f32[T,4]) {\n%a = silu(%x)\n%b = silu(%a)\n%c = silu(%b)\nreturn %c\n}");
  EXPECT_NE(text.find("%b = group(%x)"), std::string::npos) << text;
  EXPECT_NE(text.find("%c = silu(%b)"), std::string::npos) << text;
}

TEST(Fusion, a_near_miss_is_not_reported_where_another_variant_fitted) {
  const auto pass = FusionBuilder("mine", "")
                        .match("%a = silu(%x)\n%y = relu(%a)")
                        .group()
                        .match("%a = silu(%x)\n%y = tanh(%a)")
                        .group();
  Graph g = parse_graph(kChain);
  PassContext context;
  EXPECT_TRUE(make_fusion(pass)->run(g, context));
  EXPECT_TRUE(context.near_misses.empty());
}

TEST(Fusion, a_variant_is_used_or_skipped_and_nothing_else) {
  const auto pass = FusionBuilder("mine", "").match("%a = silu(%x)").variant("plain").group();
  PassContext context;
  context.settings["plain"] = "skip";
  EXPECT_EQ(run(pass, kChain, context).find("group"), std::string::npos);
  context.settings["plain"] = "no";
  EXPECT_NE(run(pass, kChain, context).find("must be use or skip"), std::string::npos);
}

}  // namespace
}  // namespace lmc
