// What a pattern may say beyond plain statements: optional parts, chains, captures, classes, nested calls.
#include <gtest/gtest.h>

#include "ir/op_def.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pattern/fusion.h"
#include "passes/pattern/match.h"
#include "tests/unit/error_of.h"

namespace lmc {
namespace {

std::string language_error(const std::string& text) {
  return error_of([&] { Pattern(text, "p"); });
}

// The graph after the pass, or the error.
std::string run(const FusionBuilder& pass, const std::string& text, PassContext* context = nullptr) {
  PassContext own;
  return [&] {
    std::string out;
    const std::string error = error_of([&] {
      Graph g = parse_graph(text);
      make_fusion(pass)->run(g, context ? *context : own);
      verify(g);
      out = print_graph(g);
    });
    return error.empty() ? out : error;
  }();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::optional<Match> only_match(const Graph& g, const std::string& pattern) {
  const Pattern p(pattern, "p");
  for (OpId id : p.anchors(g)) {
    if (auto m = p.match_at(g, id, nullptr)) return m;
  }
  return std::nullopt;
}

const char* const kOptionalInTheMiddle = "%y = tanh(%q)\noptional %q = silu(%h)\n%h = relu(%x)";

TEST(Class, an_activation_is_whatever_op_says_it_is_one) {
  for (const char* op : {"silu", "gelu_tanh", "gelu_erf", "relu", "tanh", "softcap"}) {
    const bool takes = get_op(op).activation;
    EXPECT_EQ(takes, std::string(op) != "tanh" && std::string(op) != "softcap");
    const Graph g = parse_graph(std::string("graph @g (%x: f32[T,4]) {\n  %y = ") + op + "(%x)" +
                                (std::string(op) == "softcap" ? " {cap=30}" : "") + "\n  return %y\n}");
    EXPECT_EQ(Pattern("%y = activation(%x)", "test").anchors(g).size(), takes ? 1u : 0u) << op;
  }
}

TEST(Optional, a_statement_matches_where_it_is_there) {
  const Graph g =
      parse_graph("graph @g (%x: f32[T,4]) {\n%h = relu(%x)\n%q = silu(%h)\n%y = tanh(%q)\nreturn %y\n}");
  const auto m = only_match(g, kOptionalInTheMiddle);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->ops.size(), 3u);
  EXPECT_EQ(g.value((*m)["q"]).name, "q");
}

TEST(Optional, where_it_is_not_its_result_is_its_first_operand) {
  const Graph g = parse_graph("graph @g (%x: f32[T,4]) {\n%h = relu(%x)\n%y = tanh(%h)\nreturn %y\n}");
  const auto m = only_match(g, kOptionalInTheMiddle);
  ASSERT_TRUE(m);
  EXPECT_EQ(m->ops.size(), 2u);
  EXPECT_EQ((*m)["q"], (*m)["h"]);
}

TEST(Optional, it_may_be_the_first_or_the_last_statement) {
  const auto pass = FusionBuilder("mine", "").match("optional %q = silu(%h)\n%h = relu(%x)").group();
  EXPECT_TRUE(has(run(pass, "graph @g (%x: f32[T,4]) {\n%h = relu(%x)\n%q = silu(%h)\nreturn %q\n}"),
                  "%q = group(%x)"));
  EXPECT_TRUE(has(run(pass, "graph @g (%x: f32[T,4]) {\n%h = relu(%x)\nreturn %h\n}"), "%h = group(%x)"));
}

TEST(Optional, a_reading_that_a_condition_refuses_gives_way_to_one_without) {
  const auto pass = FusionBuilder("mine", "")
                        .match("%h = relu(%x)\noptional %q = silu(%h)")
                        .when("it is read once", "one_use(%h)")
                        .when("silu is no output", "not output(%q) or op(%q) == relu")
                        .group();
  const std::string text = run(pass, "graph @g (%x: f32[T,4]) {\n%h = relu(%x)\n%q = silu(%h)\nreturn %q\n}");
  EXPECT_TRUE(has(text, "%h = group(%x)") && has(text, "%q = silu(%h)")) << text;
}

TEST(Optional, operands_that_are_not_there_are_left_out_of_the_replacement) {
  const auto pass = FusionBuilder("mine", "")
                        .match("%y = linear(%x, %w, %b?)\n%z = relu(%y)")
                        .rewrite("optional %c = concat(%b)\n%z = linear(%x, %w, %c?)");
  EXPECT_TRUE(has(run(pass,
                      "graph @g (%x: f32[T,4]) {\nweight @w : f32[2,4]\nweight @b : f32[2]\n%y = "
                      "linear(%x, @w, @b)\n%z = relu(%y)\nreturn %z\n}"),
                  "%z = linear(%x, @w, %c)"));
  const std::string without = run(
      pass,
      "graph @g (%x: f32[T,4]) {\nweight @w : f32[2,4]\n%y = linear(%x, @w)\n%z = relu(%y)\nreturn %z\n}");
  EXPECT_TRUE(has(without, "%z = linear(%x, @w) :")) << without;
}

TEST(Optional, a_replacement_makes_an_optional_op_again_only_where_it_was) {
  const auto pass = FusionBuilder("mine", "")
                        .match("%a = silu(%x)\noptional %q = quantize(%a)")
                        .rewrite("%t = tanh(%x)\noptional %q = quantize(%t)");
  EXPECT_TRUE(has(run(pass, "graph @g (%x: f32[T,32]) {\n%a = silu(%x)\n%q = quantize(%a)\nreturn %q\n}"),
                  "%q = quantize(%t)"));
  const std::string without = run(pass, "graph @g (%x: f32[T,32]) {\n%a = silu(%x)\nreturn %a\n}");
  EXPECT_TRUE(has(without, "%a = tanh(%x)") && !has(without, "quantize")) << without;
}

TEST(Optional, mistakes_are_errors) {
  EXPECT_TRUE(has(language_error("optional %a, %b = split(%x)\n%y = silu(%a)"), "p:1:1: an optional"));
  EXPECT_TRUE(has(language_error("optional %a = silu(%x)"), "every statement is optional"));
  EXPECT_TRUE(has(language_error("%y = mul(%a, %b?)"), "always has its operand %b"));
  EXPECT_TRUE(
      has(language_error("%y = linear(%a, %w, %b?)\n%b = silu(%z)\n%a = tanh(%z)"), "cannot be left out"));
  // %up alone would join the two halves, and it may be missing.
  EXPECT_TRUE(has(language_error("%y = tanh(%h)\noptional %h = mul(%a, %up)\n%up = silu(%z)"),
                  "p:3:1: this statement shares no value"));
  const auto uncertain = FusionBuilder("mine", "")
                             .match("%y = linear(%x, %w, %b?)\n%z = relu(%y)")
                             .rewrite("%z = linear(%x, %w, %b)");
  EXPECT_TRUE(
      has(run(uncertain, "graph @g (%x: f32[T,4]) {\nreturn %x\n}"), "%b may not be there: write %b?"));
}

const char* const kChainGraph = R"(graph @g (%x: f32[T,4], %r: f32[T,4]) {
  weight @w : f32[4,4]
  %y = linear(%x, @w)
  %a = silu(%y)
  %b = mul(%r, %a)
  %c = scale(%b) {by=3}
  %n = rms_norm(%c, @v) {eps=0.1}
  weight @v : f32[4]
  return %n
})";

TEST(Chain, it_takes_all_ops_of_its_class_from_either_end) {
  for (const char* text : {"%y = linear(%x, %w)\n%h = elementwise+(%y)\n%n = rms_norm(%h, %v)",
                           "%n = rms_norm(%h, %v)\n%h = elementwise+(%y)\n%y = linear(%x, %w)"}) {
    const Graph g = parse_graph(kChainGraph);
    const auto m = only_match(g, text);
    ASSERT_TRUE(m) << text;
    EXPECT_EQ(m->ops.size(), 5u);
    EXPECT_EQ(g.value((*m)["h"]).name, "c");
  }
}

TEST(Chain, it_is_as_long_as_it_can_be) {
  const Graph g = parse_graph(kChainGraph);
  const auto m = only_match(g, "%y = linear(%x, %w)\n%h = silu|mul*(%y)");
  ASSERT_TRUE(m);
  EXPECT_EQ(g.value((*m)["h"]).name, "b");
}

TEST(Chain, star_matches_nothing_too_and_plus_does_not) {
  const Graph g =
      parse_graph("graph @g (%x: f32[T,4]) {\nweight @w : f32[4,4]\n%y = linear(%x, @w)\nreturn %y\n}");
  const auto m = only_match(g, "%y = linear(%x, %w)\n%h = elementwise*(%y)");
  ASSERT_TRUE(m);
  EXPECT_EQ((*m)["h"], (*m)["y"]);
  EXPECT_FALSE(only_match(g, "%y = linear(%x, %w)\n%h = elementwise+(%y)"));
}

TEST(Chain, what_something_else_reads_ends_it) {
  const Graph g = parse_graph(
      "graph @g (%x: f32[T,4]) {\n%y = rms_norm(%x, @w) {eps=1}\nweight @w : f32[4]\n%a = silu(%y)\n%b = "
      "tanh(%a)\n%c = relu(%a)\nreturn %b, %c\n}");
  const auto m = only_match(g, "%y = rms_norm(%x, %w)\n%h = elementwise+(%y)");
  ASSERT_TRUE(m);
  EXPECT_EQ(g.value((*m)["h"]).name, "a");
}

TEST(Chain, a_captured_chain_is_made_again_behind_another_value) {
  const auto pass = FusionBuilder("mine", "")
                        .match("%y = tanh(%x)\n%h = $rest:elementwise+(%y)\n%n = rms_norm(%h, %v)")
                        .rewrite("%t = relu(%x)\n%u = $rest(%t)\n%n = rms_norm(%u, %v) {eps=1}");
  const std::string text = run(pass, R"(graph @g (%x: f32[T,4], %r: f32[T,4]) {
    weight @v : f32[4]
    %y = tanh(%x)
    %a = mul(%r, %y)
    %c = scale(%a) {by=3}
    %n = rms_norm(%c, @v) {eps=1}
    return %n
  })");
  EXPECT_TRUE(has(text, "%a = mul(%r, %t)") && has(text, "%u = scale(%a) {by=3}")) << text;
}

TEST(Chain, mistakes_are_errors) {
  EXPECT_TRUE(has(language_error("%h = elementwise+(%y)\n%z = linear(%h, %w)"), "the search begins here"));
  EXPECT_TRUE(has(language_error("%y = silu(%x)\n%h = elementwise+(%y) {by=1}"), "any attributes"));
  EXPECT_TRUE(has(language_error("%y = silu(%x)\n%h = mul+(%y, %z)"), "from one value to one value"));
  EXPECT_TRUE(has(language_error("%y = silu(%x)\n%h = elementwyse(%y)"), "did you mean elementwise?"));
}

TEST(Capture, an_attribute_is_equal_in_every_statement_and_goes_into_the_replacement) {
  const auto pass = FusionBuilder("mine", "")
                        .match("%a = scale(%x) {by=$k}\n%y = scale(%a) {by=$k}")
                        .when("it is above one", "$k > 1")
                        .rewrite("%y = scale(%x) {by=$k * $k}");
  const auto graph = [](const std::string& first, const std::string& second) {
    return "graph @g (%x: f32[T,4]) {\n%a = scale(%x) {by=" + first + "}\n%y = scale(%a) {by=" + second +
           "}\nreturn %y\n}";
  };
  EXPECT_TRUE(has(run(pass, graph("3", "3")), "scale(%x) {by=9}"));
  EXPECT_TRUE(has(run(pass, graph("3", "2")), "%a = scale(%x)"));
  EXPECT_TRUE(has(run(pass, graph("0.5", "0.5")), "%a = scale(%x)"));
}

TEST(Capture, an_op_is_made_again_with_all_its_attributes) {
  const auto pass = FusionBuilder("mine", "")
                        .match("%a = $act:softcap|silu(%x)\n%y = scale(%a) {by=1}")
                        .rewrite("%y = $act(%x)");
  EXPECT_TRUE(has(run(pass,
                      "graph @g (%x: f32[T,4]) {\n%a = softcap(%x) {cap=7}\n%y = scale(%a) "
                      "{by=1}\nreturn %y\n}"),
                  "%y = softcap(%x) {cap=7}"));
  const auto unknown = FusionBuilder("mine", "").match("%y = $act:silu(%x)").rewrite("%y = $akt(%x)");
  EXPECT_TRUE(has(run(unknown, "graph @g (%x: f32[T,4]) {\nreturn %x\n}"), "did you mean act?"));
}

TEST(Constants, arithmetic_in_a_pattern_is_done_once) {
  const Graph g = parse_graph("graph @g (%x: f32[T,4]) {\n%a = scale(%x) {by=0.125}\nreturn %a\n}");
  EXPECT_TRUE(only_match(g, "%a = scale(%x) {by=1 / sqrt(64)}"));
  EXPECT_FALSE(only_match(g, "%a = scale(%x) {by=1 / sqrt(16)}"));
  EXPECT_TRUE(has(language_error("%a = scale(%x) {by=1 / 0}"), "division by zero"));
}

TEST(Nested, a_call_in_a_call_is_a_statement_without_a_name) {
  const auto pass =
      FusionBuilder("mine", "").match("%y = silu(tanh(%x))").rewrite("%y = relu(scale(%x) {by=2})");
  const std::string text = run(pass, "graph @g (%x: f32[T,4]) {\n%a = tanh(%x)\n%y = silu(%a)\nreturn %y\n}");
  EXPECT_TRUE(has(text, "%scale = scale(%x) {by=2}") && has(text, "%y = relu(%scale)")) << text;
}

const char* const kThreeReaders =
    "graph @g (%x: f32[T,4]) {\nscope layers.2.ffn\n%t = tanh(%x)\n%a = silu(%t)\n%b = silu(%t)\nreturn %a, "
    "%b\n}";

TEST(Ambiguity, the_same_ops_read_two_ways_with_different_results_are_an_error_that_shows_both) {
  const std::string text =
      run(FusionBuilder("mine", "").match("%y = add(%a, %b)").rewrite("%y = sub(%a, %b)"),
          "graph @g (%x: f32[T,4], %z: f32[T,4]) {\nscope layers.2.ffn\n%y = add(%x, %z)\nreturn %y\n}");
  EXPECT_TRUE(has(text, "at add %y (layers.2.ffn) the pattern can be read in two ways")) << text;
  EXPECT_TRUE(has(text, "first:  %a is %x; %b is %z\n  second: %a is %z; %b is %x")) << text;
}

TEST(Ambiguity, of_matches_that_overlap_the_first_in_order_is_taken_and_the_other_told) {
  PassContext context;
  const std::string text =
      run(FusionBuilder("mine", "").match("%t = tanh(%x)\n%s = silu(%t)").group(), kThreeReaders, &context);
  EXPECT_TRUE(has(text, "%t, %a = group(%x)")) << text;
  ASSERT_EQ(context.remarks.size(), 1u);
  EXPECT_EQ(context.remarks[0],
            "at tanh %t (layers.2.ffn) it fits in two ways; took the first in order: %s is %a; silu is silu "
            "%a; left: %s is %b; silu is silu %b");
}

TEST(Ambiguity, two_readings_with_one_result_are_none) {
  const auto both = FusionBuilder("mine", "").match("%t = tanh(%x)\n%s = silu(%t)\n%u = silu(%t)");
  EXPECT_TRUE(has(run(FusionBuilder(both).group(), kThreeReaders), "group(%x)"));
  // Exchanged operands of a commutative op are no other result; those of sub are.
  const auto add = [](const std::string& replacement) {
    return run(FusionBuilder("mine", "").match("%y = add(%a, %b)").rewrite(replacement),
               "graph @g (%x: f32[T,4], %z: f32[T,4]) {\n%y = add(%x, %z)\nreturn %y\n}");
  };
  EXPECT_TRUE(has(add("%y = mul(%a, %b)"), "%y = mul(%x, %z)"));
  EXPECT_TRUE(has(add("%y = sub(%a, %b)"), "read in two ways"));
  EXPECT_TRUE(has(add("%t = add(%b, %a)\n%y = mul(%t, %b)"), "read in two ways"));
}

TEST(Ambiguity, a_condition_can_decide) {
  const auto pass = FusionBuilder("mine", "")
                        .match("%t = tanh(%x)\n%s = silu(%t)")
                        .when("it is the one that is scaled", "uses(%s) == 2")
                        .group();
  const std::string text = run(pass,
                               "graph @g (%x: f32[T,4]) {\n%t = tanh(%x)\n%a = silu(%t)\n%b = silu(%t)\n%c = "
                               "relu(%b)\nreturn %a, %b, %c\n}");
  EXPECT_TRUE(has(text, "%t, %b = group(%x)")) << text;
}

TEST(Search, a_pattern_of_absurd_length_is_refused) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "%v" + std::to_string(i) + " = silu(%x)\n";
  EXPECT_TRUE(has(language_error(text), "p:65:1: a pattern has at most 64 statements"));
}

TEST(Search, one_that_gets_out_of_hand_is_an_error) {
  std::string graph = "graph @g (%x: f32[T,4]) {\n";
  std::string pattern, outputs;
  for (int i = 0; i < 12; ++i) {
    const std::string n = std::to_string(i);
    graph += "%v" + n + " = silu(%x)\n";
    outputs += (i ? ", %v" : "%v") + n;
    pattern += "%p" + n + " = silu(%x)\n";
  }
  pattern += "%q = tanh(%p0)\n";
  EXPECT_TRUE(has(run(FusionBuilder("mine", "").match(pattern).group(), graph + "return " + outputs + "\n}"),
                  "more than 100000 steps"));
}

}  // namespace
}  // namespace lmc
