// What is not sound, and what the verifier says of it.
#include "ir/verify.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ir/op_def.h"
#include "ir/text.h"

namespace lmc {
namespace {

Graph small() {
  return parse_graph("graph @g (%x: f32[T,4]) {\n  %a = scale(%x) {by=2}\n  %y = silu(%a)\n  return %y\n}");
}

OpId first_op(const Graph& g) { return topo_order(g)[0]; }

std::string complaint(const Graph& g) {
  const std::vector<std::string> messages = verify_messages(g);
  return messages.empty() ? "" : messages[0];
}

std::string refusal(const std::string& text) {
  try {
    parse_graph(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Verify, attributes_must_be_what_the_op_declares) {
  Graph g = small();
  EXPECT_EQ(complaint(g), "");
  g.set_attr(first_op(g), "by", std::string("two"));
  EXPECT_EQ(complaint(g), "scale: attribute 'by' must be real, found two");
  g.set_attr(first_op(g), "by", std::nan(""));
  EXPECT_EQ(complaint(g), "scale: attribute 'by' is out of range: nan");
  g.set_attr(first_op(g), "by", -INFINITY);
  EXPECT_EQ(complaint(g), "scale: attribute 'by' is out of range: -inf");
  g.set_attr(first_op(g), "by", 2.0);
  g.set_attr(first_op(g), "colour", int64_t{1});
  EXPECT_EQ(complaint(g), "scale has attributes that it does not know");
}

TEST(Verify, a_graph_returns_something) {
  Graph g = small();
  g.set_outputs({});
  EXPECT_EQ(complaint(g), "it returns nothing");
  EXPECT_TRUE(
      holds(refusal("graph @g (%x: f32[T,4]) {\n  %y = silu(%x)\n  return\n}"), "it returns nothing"));
}

TEST(Verify, names_are_what_the_text_form_can_hold) {
  Graph g = small();
  g.rename(g.result(first_op(g)), "two words");
  EXPECT_EQ(complaint(g), "%two words is no name that the text form can hold");
  Graph scoped = small();
  scoped.set_scope(first_op(scoped), "0.layer");
  EXPECT_EQ(complaint(scoped), "'0.layer' is no name for a scope");
  Graph named = small();
  named.name = "a b";
  EXPECT_EQ(complaint(named), "'a b' is no name for a graph");
}

const std::string kInputs =
    "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R], %q: f32[T,1,8], %k: f32[T,1,8], %kv: "
    "kv_f16[64,1,8]) {\n  weight @e : f32[16,8]\n";

TEST(Verify, tokens_are_no_positions) {
  EXPECT_EQ(refusal(kInputs + "  %a = rope_angles(%tokens) {dims=8, theta=10000}\n  return %a\n}"),
            "graph @g is not sound: rope_angles %a reads %tokens as its 'pos', which they are not");
  EXPECT_NE(refusal(kInputs + "  %e = embedding(%out_rows, @e)\n  return %e\n}"), "");
  // Learned positions are rows of a table.
  EXPECT_EQ(refusal(kInputs + "  %e = embedding(%pos, @e)\n  return %e\n}"), "");
  // Through a group, whatever its inputs are called.
  EXPECT_TRUE(holds(
      refusal(kInputs +
              "  %y = group(%tokens) : f32[T,8] {\n    inputs (%pos: i32[T])\n    %a = rope_angles(%pos) "
              "{dims=8, theta=10000}\n    return %a\n  }\n  return %y\n}"),
      "rope_angles %a reads %tokens as its 'pos'"));
}

TEST(Verify, what_this_step_has_appended_is_not_appended_to_again) {
  const std::string first = "  %c1 = kv_append(%kv, %k, %k, %pos)\n";
  EXPECT_EQ(refusal(kInputs + first + "  return %c1\n}"), "");
  EXPECT_EQ(refusal(kInputs + first + "  %c2 = kv_append(%c1, %k, %k, %pos)\n  return %c2\n}"),
            "graph @g is not sound: kv_append %c2 appends to a cache that holds %pos already: an append of "
            "this step has made it");
  EXPECT_TRUE(holds(
      refusal(
          kInputs + first +
          "  %c2 = group(%c1, %k, %pos) : kv_f16[64,1,8] {\n    inputs (%c: kv_f16[64,1,8], %r: f32[T,1,8], "
          "%p: i32[T])\n    %d = kv_append(%c, %r, %r, %p)\n    return %d\n  }\n  return %c2\n}"),
      "holds %pos already"));
}

TEST(Verify, groups_stand_in_each_other_only_so_deep) {
  Graph inner = small();
  for (int depth = 0; depth < 40; ++depth) {
    EXPECT_EQ(complaint(inner).empty(), depth <= 32) << depth;
    Graph outer("g");
    const ValueId x = outer.add_input("x", inner.type(inner.inputs()[0]));
    const OpId group =
        outer.add_op(get_op("group"), {x}, {}, {"y"}, "", {}, std::make_unique<Graph>(std::move(inner)));
    outer.set_outputs({outer.result(group)});
    inner = std::move(outer);
  }
}

}  // namespace
}  // namespace lmc
