// The text form: what is printed reads back the same, and mistakes are named with line and column.
#include "ir/text.h"

#include <gtest/gtest.h>

#include "ir/op_def.h"
#include "ir/verify.h"
#include "tests/unit/error_of.h"

namespace lmc {
namespace {

const char* const kLayer = R"(graph @layer (%x: f32[T,64], %pos: i32[T], %kv: kv_f16[128,1,16]) {
  weight @norm : bf16[64]
  weight @q.weight : bf16[16,64]
  weight @k.weight : bf16[16,64]
  weight @v.weight : bf16[16,64]
  scope layers.0.attention
  %n = rms_norm(%x, @norm) {eps=1e-06, offset=1} : f32[T,64]
  %q = linear(%n, @q.weight) {role=attn_q} : f32[T,16]
  %k = linear(%n, @k.weight) {role=attn_k} : f32[T,16]
  %v = linear(%n, @v.weight) {role=attn_v} : f32[T,16]
  %qh = reshape(%q) {shape=[1,16]} : f32[T,1,16]
  %kh = reshape(%k) {shape=[1,16]} : f32[T,1,16]
  %vh = reshape(%v) {shape=[1,16]} : f32[T,1,16]
  %kv1 = kv_append(%kv, %kh, %vh, %pos) : kv_f16[128,1,16]
  %a = attention(%qh, %kv1, %pos) {scale=0.25, window=128} : f32[T,16]
  return %a, %kv1
}
)";

std::string parse_error(const std::string& text) {
  return error_of([&] { parse_graph(text, "t.lmir"); });
}

std::string in_graph(const std::string& statement) {
  return "graph @g (%x: f32[T,64]) {\n  weight @w : f32[8,64]\n  " + statement + "\n  return %y\n}\n";
}

TEST(Text, a_printed_graph_reads_back_exactly) { EXPECT_EQ(print_graph(parse_graph(kLayer)), kLayer); }

TEST(Text, lists_of_reals_round_trip_and_whole_numbers_may_stand_among_them) {
  const auto angles = [](const std::string& factors) {
    return "graph @g (%pos: i32[T], %length: i32[T]) {\n  %a = rope_angles(%pos, %length) {dims=4, "
           "theta=10000, original=8, "
           "short_factors=" +
           factors + ", long_factors=[0.1,1e+30]} : f32[T,4]\n  return %a\n}\n";
  };
  EXPECT_EQ(print_graph(parse_graph(angles("[1,2]"))), angles("[1,2]"));
  EXPECT_EQ(print_graph(parse_graph(angles("[1,2.5]"))), angles("[1,2.5]"));
  EXPECT_EQ(print_graph(parse_graph(angles("[1.0,2]"))), angles("[1,2]"));
  EXPECT_NE(parse_error("graph @g (%pos: i32[T]) {\n  %a = rope_angles(%pos) {dims=2, theta=9, original=3, "
                        "short_factors=[2], long_factors=[4]}\n  return %a\n}\n")
                .find("two lists of factors need length"),
            std::string::npos);
  EXPECT_NE(parse_error(angles("[1]")).find("short_factors must be dims/2 = 2 numbers, found 1"),
            std::string::npos);
  EXPECT_NE(parse_error(angles("[1,-2]")).find("short_factors must be positive"), std::string::npos);
  EXPECT_NE(parse_error(angles("[1,x]")).find("expected a number in a list, found x"), std::string::npos);
}

TEST(Text, a_clone_prints_the_same) { EXPECT_EQ(print_graph(parse_graph(kLayer).clone()), kLayer); }

TEST(Text, groups_and_their_bodies_round_trip) {
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
  EXPECT_EQ(print_graph(parse_graph(text)), text);
}

TEST(Text, types_may_be_left_out_and_are_inferred) {
  const Graph g = parse_graph(in_graph("%y = linear(%x, @w)"));
  EXPECT_EQ(g.type(g.outputs()[0]).str(), "f32[T,8]");
}

TEST(Text, nested_calls_are_ops_of_their_own) {
  const Graph g = parse_graph(
      "graph @g (%x: f32[T,4]) {\n weight @w : f32[4,8]\n %y = linear(%x, transpose(@w))\n return %y\n}");
  EXPECT_EQ(g.ops().size(), 2U);
}

TEST(Text, mistakes_are_named_with_line_and_column) {
  EXPECT_EQ(parse_error(in_graph("%y = rms_nrm(%x, @w) {eps=1}")),
            "t.lmir:3:3: unknown op 'rms_nrm'; did you mean rms_norm?");
  EXPECT_EQ(parse_error(in_graph("%y = linear(%z, @w)")), "t.lmir:3:15: %z is not defined above");
  EXPECT_EQ(parse_error(in_graph("%y = linear(%x, @u)")), "t.lmir:3:19: weight @u is not declared");
  EXPECT_EQ(parse_error(in_graph("%y = linear(%x, @w) : f32[T,9]")),
            "t.lmir:3:25: %y is stated as f32[T,9] but linear gives f32[T,8]");
  EXPECT_EQ(parse_error(in_graph("%y = scale(%x)")), "t.lmir:3:3: scale: attribute 'by' is missing");
  EXPECT_EQ(parse_error(in_graph("%y = scale(%x) {by=1, bye=2}")),
            "t.lmir:3:3: scale: unknown attribute 'bye'; it has by");
  EXPECT_EQ(parse_error(in_graph("%y = silu(%x, %x)")), "t.lmir:3:3: silu: expected 1 operands, found 2");
  EXPECT_EQ(parse_error(in_graph("%y = add(%x %x)")),
            "t.lmir:3:15: expected ',' between operands, found '%x'");
  EXPECT_EQ(parse_error(in_graph("%x = silu(%x)")), "t.lmir:3:3: %x is defined twice");
  EXPECT_NE(parse_error("graph @g (%x: f32[T,64]) {\n return %x\n"), "");
  EXPECT_NE(parse_error("graph @g (%x: f99[T]) { return %x }"), "");
  EXPECT_NE(parse_error(""), "");
  EXPECT_NE(parse_error("graph @g (%x: f32[99999999999999999999]) { return %x }"), "");
}

TEST(Text, shapes_that_do_not_fit_say_what_was_expected) {
  EXPECT_NE(
      parse_error(in_graph("%t = transpose(@w)\n  %y = linear(%x, %t)")).find("expected last dimension 8"),
      std::string::npos);
}

TEST(Text, positions_must_be_as_many_as_the_rows_they_belong_to) {
  const std::string text = R"(graph @g (%x: f32[3,1,8], %pos: i32[T], %kv: kv_f32[16,1,8]) {
    %y = STATEMENT
    return %y
  })";
  for (const char* statement : {"attention(%x, %kv, %pos) {scale=1}", "kv_append(%kv, %x, %x, %pos)",
                                "attention_split(%x, %kv, %pos) {scale=1, chunk=8, chunks=2}"}) {
    std::string wrong = text;
    wrong.replace(wrong.find("STATEMENT"), 9, statement);
    EXPECT_NE(parse_error(wrong).find("pos must be i32[3]"), std::string::npos) << statement;
  }
}

TEST(Text, deep_nesting_is_refused_rather_than_risked) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "silu(";
  EXPECT_NE(parse_error(in_graph("%y = " + deep + "%x")).find("nested too deeply"), std::string::npos);
}

TEST(Text, any_cut_of_a_valid_text_is_an_error_and_no_crash) {
  const std::string text = kLayer;
  for (size_t n = 0; n + 2 < text.size(); ++n) EXPECT_NE(parse_error(text.substr(0, n)), "") << n;
}

TEST(Verify, a_cache_appended_to_twice_is_refused) {
  std::string text = kLayer;
  text.replace(text.find("  return"), 8, "  %kv2 = kv_append(%kv, %kh, %vh, %pos)\n  return");
  EXPECT_NE(parse_error(text).find("appended to 2 times"), std::string::npos);
}

TEST(Ops, every_op_is_documented) {
  for (const OpDef* op : all_ops()) {
    EXPECT_FALSE(op->doc.empty()) << op->name;
    EXPECT_TRUE(op->infer && op->eval) << op->name;
    for (const OperandDef& o : op->operands) EXPECT_FALSE(o.doc.empty()) << op->name;
  }
}

}  // namespace
}  // namespace lmc
