// Comparing graphs: names and order make no difference, everything else does.
#include "ir/diff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "ir/text.h"
#include "tests/unit/ir/layers.h"

namespace lmc {
namespace {

const char* const kGraph = R"(graph @g (%x: f32[T,8], %y: f32[T,8]) {
  weight @a : f32[8,8]
  weight @b : f32[8,8]
  scope one
  %p = linear(%x, @a) {role=first}
  %q = linear(%x, @b) {role=second}
  %r = silu(%p)
  %s = mul(%r, %q)
  %t = add(%s, %y)
  return %t
}
)";

std::string with(const std::string& what, const std::string& by) {
  std::string text = kGraph;
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

GraphDiff diff(const std::string& a, const std::string& b) {
  return diff_graphs(parse_graph(a), parse_graph(b));
}

size_t count(const GraphDiff& d, ChangeKind kind) {
  return static_cast<size_t>(
      std::count_if(d.ops.begin(), d.ops.end(), [&](const OpChange& c) { return c.kind == kind; }));
}

TEST(Diff, a_graph_is_like_itself) {
  EXPECT_TRUE(diff(kGraph, kGraph).same());
  EXPECT_TRUE(diff(layered_text(6, 2), layered_text(6, 2)).same());
}

// The same graph with its ops added in another order and every result renamed.
Graph shuffled(const Graph& g, unsigned seed) {
  std::mt19937 random(seed);
  Graph out("other");
  SideTable<ValueId, ValueId> map(g.num_value_ids());
  for (ValueId v : g.inputs()) map[v] = out.add_input(g.value(v).name, g.type(v));
  std::vector<ValueId> weights = g.weights();
  std::shuffle(weights.begin(), weights.end(), random);
  for (ValueId v : weights) map[v] = out.add_weight(g.value(v).name, g.type(v));
  std::vector<OpId> waiting = g.ops();
  int number = 0;
  while (!waiting.empty()) {
    std::shuffle(waiting.begin(), waiting.end(), random);
    const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](OpId id) {
      const auto& in = g.op(id).operands;
      return std::all_of(in.begin(), in.end(), [&](ValueId v) { return map[v].valid(); });
    });
    const Op& op = g.op(*ready);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(map[v]);
    std::vector<std::string> names;
    for (size_t i = 0; i < op.results.size(); ++i) names.push_back("v" + std::to_string(number++));
    const OpId made = out.add_op(*op.def, operands, op.attrs, names, op.scope);
    for (size_t i = 0; i < op.results.size(); ++i) map[op.results[i]] = out.result(made, i);
    waiting.erase(ready);
  }
  std::vector<ValueId> outputs;
  for (ValueId v : g.outputs()) outputs.push_back(map[v]);
  out.set_outputs(outputs);
  return out;
}

TEST(Diff, names_and_order_make_no_difference) {
  const Graph g = parse_graph(layered_text(5, 2));
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Graph other = shuffled(g, seed);
    EXPECT_NE(print_graph(g), print_graph(other));
    EXPECT_TRUE(diff_graphs(g, other).same()) << seed;
    EXPECT_TRUE(diff_graphs(other, g).same()) << seed;
  }
}

TEST(Diff, an_attribute_is_one_change) {
  const GraphDiff d = diff(kGraph, with("role=second", "role=third"));
  ASSERT_EQ(d.ops.size(), 1U);
  EXPECT_EQ(d.ops[0].notes, std::vector<std::string>{"role: second → third"});
}

TEST(Diff, exchanged_weights_are_a_difference) {
  EXPECT_FALSE(diff(kGraph, with("linear(%x, @a)", "linear(%x, @b)")).same());
  std::string swapped = with("linear(%x, @a)", "linear(%x, @c)");
  EXPECT_TRUE(diff(kGraph, kGraph).same());
  swapped.replace(swapped.find("linear(%x, @b)"), 14, "linear(%x, @a)");
  swapped.replace(swapped.find("linear(%x, @c)"), 14, "linear(%x, @b)");
  EXPECT_FALSE(diff(kGraph, swapped).same());
}

TEST(Diff, another_operand_is_a_difference_of_its_reader_alone) {
  const GraphDiff d = diff(kGraph, with("add(%s, %y)", "add(%s, %x)"));
  ASSERT_EQ(d.ops.size(), 1U);
  EXPECT_EQ(d.ops[0].notes, std::vector<std::string>{"reads %x instead of %y"});
}

TEST(Diff, an_op_between_is_added_and_its_reader_changed) {
  const GraphDiff d = diff(kGraph, with("mul(%r, %q)", "mul(%r, relu(%q))"));
  EXPECT_EQ(count(d, ChangeKind::added), 1U);
  EXPECT_EQ(count(d, ChangeKind::removed), 0U);
  EXPECT_EQ(count(d, ChangeKind::changed), 1U);
}

TEST(Diff, a_replaced_op_leaves_its_readers_alone) {
  const GraphDiff d = diff(kGraph, with("%r = silu(%p)", "%r = relu(%p)"));
  EXPECT_EQ(count(d, ChangeKind::added), 1U);
  EXPECT_EQ(count(d, ChangeKind::removed), 1U);
  EXPECT_EQ(count(d, ChangeKind::changed), 0U);
}

TEST(Diff, scopes_weights_inputs_and_outputs_count) {
  EXPECT_FALSE(diff(kGraph, with("scope one", "scope two")).same());
  EXPECT_EQ(diff(kGraph, with("weight @a : f32", "weight @a : bf16")).notes,
            std::vector<std::string>{"weight @a: f32[8,8] → bf16[8,8]"});
  EXPECT_EQ(diff(kGraph, with("return %t", "return %t, %s")).notes,
            std::vector<std::string>{"outputs: 1 → 2"});
  EXPECT_FALSE(diff(kGraph, with("return %t", "return %s")).same());
  EXPECT_FALSE(diff(kGraph, with("(%x: f32[T,8], %y: f32[T,8])", "(%y: f32[T,8], %x: f32[T,8])")).same());
  EXPECT_EQ(diff(kGraph, with("  scope one", "  weight @c : f32[2]\n  scope one")).notes,
            std::vector<std::string>{"weight @c : f32[2] is new"});
}

TEST(Diff, a_renamed_input_is_named_and_nothing_else) {
  std::string text = kGraph;
  for (size_t at = 0; (at = text.find("%y", at)) != std::string::npos; ++at) text.replace(at, 2, "%z");
  const GraphDiff d = diff(kGraph, text);
  EXPECT_EQ(d.notes, std::vector<std::string>{"input %y is called %z"});
  EXPECT_TRUE(d.ops.empty());
}

TEST(Diff, a_missing_layer_is_missing_and_the_others_are_not_taken_for_it) {
  std::string text = layered_text(4);
  const size_t from = text.find("  scope layers.2.attention");
  text.erase(from, text.find("  scope layers.3.attention") - from);
  text.replace(text.find("rms_norm(%x2"), 12, "rms_norm(%x1");
  text.replace(text.find("add(%x2"), 7, "add(%x1");
  text.replace(text.find(", %kv2"), 6, "");
  const GraphDiff d = diff(layered_text(4), text);
  EXPECT_EQ(count(d, ChangeKind::removed), 8U);
  EXPECT_EQ(count(d, ChangeKind::added), 0U);
  EXPECT_EQ(count(d, ChangeKind::changed), 2U);  // what read the missing layer
}

TEST(Diff, what_differs_within_a_group_is_told) {
  const std::string text = R"(graph @g (%x: f32[T,8]) {
  %y = group(%x) {name=pair} : f32[T,8] {
    inputs (%a: f32[T,8])
    %b = silu(%a) : f32[T,8]
    %c = mul(%b, %a) : f32[T,8]
    return %c
  }
  return %y
}
)";
  std::string renamed = text;
  for (size_t at = 0; (at = renamed.find("%b", at)) != std::string::npos; ++at) renamed.replace(at, 2, "%k");
  EXPECT_TRUE(diff(text, renamed).same());
  std::string other = text;
  other.replace(other.find("silu"), 4, "relu");
  const GraphDiff d = diff(text, other);
  ASSERT_EQ(d.ops.size(), 1U);
  ASSERT_TRUE(d.ops[0].body);
  EXPECT_EQ(count(*d.ops[0].body, ChangeKind::added), 1U);
}

TEST(Diff, side_by_side_holds_every_op_once_and_in_order) {
  const Graph a = parse_graph(layered_text(3));
  const Graph b = shuffled(a, 3);
  const GraphDiff d = diff_graphs(a, b);
  const ReadingOrder places = reading_order(a);
  const std::vector<GraphSection> left = sections(a, places);
  const std::vector<GraphSection> right = sections(b, order_like(d, places, b));
  ASSERT_EQ(left.size(), right.size());
  for (size_t s = 0; s < left.size(); ++s) {
    const std::vector<DiffRow> rows = side_by_side(d, left[s].ops, right[s].ops);
    ASSERT_EQ(rows.size(), left[s].ops.size());  // nothing changed: every row has both
    for (size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].before, left[s].ops[i]);
      EXPECT_EQ(rows[i].after, right[s].ops[i]);
    }
  }
}

TEST(Diff, of_nothing_and_something) {
  EXPECT_TRUE(diff_graphs(Graph("a"), Graph("b")).same());
  const GraphDiff d = diff_graphs(Graph("a"), parse_graph(kGraph));
  EXPECT_EQ(count(d, ChangeKind::added), 5U);
}

}  // namespace
}  // namespace lmc
