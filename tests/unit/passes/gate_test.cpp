// The numeric gate looks far enough: whatever tells positions apart is on both sides of some step.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "passes/engine/check.h"
#include "passes/engine/check_scenes.h"

namespace lmc {
namespace {

// One layer of attention and what it is made of: `span` positions, more attributes of attention, the angles'.
std::string attention_graph(const std::string& span, const std::string& attention,
                            const std::string& angles = "dims=8, theta=10000") {
  return "graph @g (%q: f32[T,2,8], %k: f32[T,1,8], %v: f32[T,1,8], %pos: i32[T], %length: i32[T], %kv: "
         "kv_f32[" +
         span + ",1,8]) {\n  %angles = rope_angles(%pos" +
         (angles.find("original") == std::string::npos ? "" : ", %length") + ") {" + angles +
         "}\n  %qr = rope(%q, %angles)\n  %kr = rope(%k, %angles)\n"
         "  %kv1 = kv_append(%kv, %kr, %v, %pos)\n  %a = attention(%qr, %kv1, %pos) {scale=0.3" +
         attention + "}\n  return %a\n}\n";
}

bool tells_apart(const std::string& before, const std::string& after) {
  const Graph a = parse_graph(before);
  const Graph b = parse_graph(after);
  for (const CheckResult& r : NumericGate(a, nullptr).compare(a, b)) {
    if (!inexact(r).empty()) return true;
  }
  return false;
}

TEST(Gate, a_window_where_there_was_none_is_seen) {
  for (const char* span : {"200", "2048", "131072"}) {
    EXPECT_TRUE(tells_apart(attention_graph(span, ""), attention_graph(span, ", window=160"))) << span;
    EXPECT_TRUE(tells_apart(attention_graph(span, ", window=160"), attention_graph(span, ""))) << span;
  }
}

TEST(Gate, windows_are_told_apart_however_wide_and_however_near) {
  const auto global = [](const std::string& window) { return attention_graph("131072", window); };
  EXPECT_TRUE(tells_apart(global(", window=511"), global(", window=512")));
  EXPECT_TRUE(tells_apart(global(", window=131000"), global("")));
  EXPECT_FALSE(tells_apart(global(", window=512"), global(", window=512")));
  EXPECT_TRUE(tells_apart(attention_graph("4096", ", window=4096"), attention_graph("4096", ", window=4095")))
      << "a ring";
}

TEST(Gate, a_window_as_wide_as_the_context_is_none) {
  EXPECT_FALSE(tells_apart(attention_graph("64", ""), attention_graph("64", ", window=64")));
}

TEST(Gate, a_window_inside_a_group_is_seen) {
  const auto grouped = [](const std::string& window) {
    return "graph @g (%q: f32[T,2,8], %pos: i32[T], %kv: kv_f32[2048,1,8]) {\n"
           "  %y = group(%q, %kv, %pos) : f32[T,16] {\n"
           "    inputs (%q: f32[T,2,8], %kv: kv_f32[2048,1,8], %pos: i32[T])\n"
           "    %a = attention(%q, %kv, %pos) {scale=0.3" +
           window + "}\n    return %a\n  }\n  return %y\n}\n";
  };
  EXPECT_TRUE(tells_apart(grouped(""), grouped(", window=700")));
  EXPECT_FALSE(tells_apart(grouped(", window=700"), grouped(", window=700")));
}

const std::string kLongrope =
    "dims=8, theta=10000, original=4096, short_factors=[1,1.5,2,3], long_factors=[2,4,8,16], ";

TEST(Gate, both_sides_of_the_border_of_a_longrope_are_seen) {
  const std::string before = attention_graph("131072", "", kLongrope + "short_scale=1.1, long_scale=1.2");
  const auto differs = [&](const std::string& angles) {
    return tells_apart(before, attention_graph("131072", "", angles));
  };
  EXPECT_TRUE(differs(kLongrope + "short_scale=1.1, long_scale=2.4"));
  EXPECT_TRUE(differs(kLongrope + "short_scale=2.2, long_scale=1.2"));
  std::string moved = kLongrope;
  moved.replace(moved.find("4096"), 4, "4097");
  EXPECT_TRUE(differs(moved + "short_scale=1.1, long_scale=1.2"));
  EXPECT_FALSE(differs(kLongrope + "short_scale=1.1, long_scale=1.2"));
}

TEST(Gate, the_end_of_a_table_of_positions_is_seen) {
  const auto learned = [](const std::string& rows) {
    return parse_graph("graph @g (%pos: i32[T]) {\n  weight @wpe : f32[1024,8]\n  %t = slice(@wpe) {" + rows +
                       "}\n  %y = embedding(%pos, %t)\n  %a = rope_angles(%pos) {dims=8, theta=10000}\n"
                       "  return %y, %a\n}\n");
  };
  const Graph whole = learned("axis=0, start=0, size=1024");
  const Graph cut = learned("axis=0, start=0, size=1020");
  EXPECT_NO_THROW(NumericGate(whole, nullptr).compare(whole, whole));
  EXPECT_THROW(NumericGate(whole, nullptr).compare(whole, cut), Error);
}

TEST(Gate, attention_in_two_halves_is_the_same_at_the_end_of_the_context) {
  const auto graph = [](const std::string& body) {
    return parse_graph(
        "graph @g (%q: f32[T,2,8], %k: f32[T,1,8], %v: f32[T,1,8], %pos: i32[T], %kv: kv_f32[32768,1,8]) "
        "{\n  %kv1 = kv_append(%kv, %k, %v, %pos)\n" +
        body + "  return %a\n}\n");
  };
  for (const char* window : {"", ", window=600"}) {
    const std::string w = window;
    const Graph whole = graph("  %a = attention(%q, %kv1, %pos) {scale=0.3" + w + "}\n");
    const Graph halves =
        graph("  %p = attention_split(%q, %kv1, %pos) {scale=0.3, chunk=128, chunks=256" + w +
              "}\n  %a = attention_merge(%p, %pos) {heads=2, dim=8, chunk=128" + w + "}\n");
    for (const CheckResult& r : NumericGate(whole, nullptr).compare(whole, halves))
      EXPECT_EQ(inexact(r), "") << r.str();
  }
}

TEST(Gate, a_graph_that_is_compared_again_is_evaluated_once) {
  const Graph a = parse_graph(attention_graph("2048", ", window=100"));
  const Graph b = parse_graph(attention_graph("2048", ", window=100, softcap=30"));
  NumericGate gate(a, nullptr);
  gate.compare(a, b);
  gate.compare(b, a);
  EXPECT_EQ(gate.evaluations(), 2);
  gate.compare(a, parse_graph(attention_graph("2048", ", window=101")));
  EXPECT_EQ(gate.evaluations(), 4) << "a new border: what was looked at before is looked at again";
}

TEST(Gate, wide_windows_cost_no_more_than_narrow_ones) {
  PositionBorders b;
  b.windows = {512, 1024, 4096, 100000};
  const CheckScenes s = choose_scenes(b, 131072);
  ASSERT_EQ(s.scenes.size(), 2u);
  for (const CheckScene& scene : s.scenes) {
    EXPECT_EQ(scene.first + scene.tokens, 131072);
    EXPECT_LE(scene.held, 80);
  }
  int64_t last = 0;
  for (const auto& [from, to] : s.windows) {
    EXPECT_GT(to, last);
    last = to;
  }
  b.ropes = {4096, 200000};
  EXPECT_EQ(choose_scenes(b, 131072).scenes.size(), 3u) << "nobody gets to the second border";
}

// What is wrong with the caches a pass may be allowed; the logits are not.
TEST(Gate, caches_may_be_left_out) {
  const auto graph = [](const std::string& append, const std::string& outputs) {
    return parse_graph(
        "graph @g (%x: f32[T,1,8], %v: f32[T,1,8], %pos: i32[T], %kv: kv_f32[64,1,8]) {\n  %y = silu(%x)\n" +
        append + "  return %y" + outputs + "\n}\n");
  };
  const Graph a = graph("  %kv1 = kv_append(%kv, %x, %v, %pos)\n", ", %kv1");
  const Graph b = graph("  %kv1 = kv_append(%kv, %v, %x, %pos)\n", ", %kv1");
  NumericGate gate(a, nullptr);
  EXPECT_NE(inexact(gate.compare(a, b)[0]), "");
  EXPECT_EQ(inexact(gate.compare(a, b, false)[0]), "");
  const Graph none = graph("", "");
  EXPECT_THROW(gate.compare(a, none), Error);
  EXPECT_EQ(inexact(gate.compare(a, none, false)[1]), "");
}

}  // namespace
}  // namespace lmc
