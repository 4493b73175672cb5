// The reference evaluator on numbers worked out by hand.
#include "ir/eval.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ir/graph_algorithms.h"
#include "ir/text.h"

namespace lmc {
namespace {

Tensor rows(std::vector<int64_t> dims, std::vector<double> data) {
  return {DType::f32, std::move(dims), std::move(data)};
}

// Evaluates `%y = <call>` over %x (and %pos = 0, 1, …) with weights given by name.
Tensor eval(const std::string& declarations, const std::string& call, const Tensor& x,
            std::map<std::string, Tensor> weights = {}) {
  const int64_t t = x.dims[0];
  const std::string type = "f32[T" + (x.dims.size() > 1 ? "," + std::to_string(x.dims[1]) : "") +
                           (x.dims.size() > 2 ? "," + std::to_string(x.dims[2]) : "") + "]";
  const Graph g = parse_graph("graph @g (%x: " + type + ", %pos: i32[T], %c: kv_f32[64,1,8]) {\n" +
                              declarations + "\n%y = " + call + "\nreturn %y\n}");
  Tensor pos = make_tensor(DType::i32, {t});
  for (int64_t i = 0; i < t; ++i) pos.data[static_cast<size_t>(i)] = static_cast<double>(i);
  return evaluate(g, {{"x", x}, {"pos", pos}},
                  [&](const std::string& name, const Type&) { return weights.at(name); })[0];
}

void expect_near(const Tensor& t, std::vector<double> want, double tolerance = 1e-12) {
  ASSERT_EQ(t.data.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(t.data[i], want[i], tolerance) << i;
}

TEST(Eval, rms_norm_divides_by_the_root_mean_square) {
  const double r = 1 / std::sqrt(12.5);
  expect_near(eval("weight @w : f32[2]", "rms_norm(%x, @w) {eps=0, offset=1}", rows({1, 2}, {3, 4}),
                   {{"w", rows({2}, {0, 1})}}),
              {3 * r, 8 * r});
}

TEST(Eval, layer_norm_centres_and_scales) {
  expect_near(eval("weight @w : f32[2]\nweight @b : f32[2]", "layer_norm(%x, @w, @b) {eps=0}",
                   rows({1, 2}, {1, 3}), {{"w", rows({2}, {2, 2})}, {"b", rows({2}, {10, 20})}}),
              {8, 22});
}

TEST(Eval, linear_is_rows_times_weight_rows_plus_bias) {
  expect_near(eval("weight @w : f32[2,3]\nweight @b : f32[2]", "linear(%x, @w, @b)", rows({1, 3}, {1, 2, 3}),
                   {{"w", rows({2, 3}, {1, 0, 0, 1, 1, 1})}, {"b", rows({2}, {0.5, -1})}}),
              {1.5, 5});
}

TEST(Eval, route_takes_the_largest_scores_and_the_first_of_equal_ones) {
  const std::string two = "%p, %ids = route(%x) {k=2}";
  const Tensor x = rows({2, 3}, {0, std::log(3.0), 0, 1, 1, 1});
  expect_near(eval(two, "scale(%p) {by=1}", x), {0.75, 0.25, 0.5, 0.5});
  // The expert's number, from weights that say it.
  expect_near(eval("weight @a : f32[1,3]\nweight @b : f32[1,3]\nweight @c : f32[1,3]\nweight @one : f32[3]\n"
                   "%zero = scale(%x) {by=0}\n%ones = add(%zero, @one)\n" +
                       two,
                   "linear_experts(%ones, stack(@a, @b, @c), %ids)", x,
                   {{"a", rows({1, 3}, {0, 0, 0})},
                    {"b", rows({1, 3}, {1, 0, 0})},
                    {"c", rows({1, 3}, {2, 0, 0})},
                    {"one", rows({3}, {1, 1, 1})}}),
              {1, 0, 0, 1});
  expect_near(eval("%p, %ids = route(%x) {k=1, normalise=0}", "scale(%p) {by=1}", x), {0.6, 1.0 / 3});
}

TEST(Eval, weighted_sum_adds_up_what_the_experts_made) {
  const Graph g =
      parse_graph("graph @g (%x: f32[T,2,2], %w: f32[T,2]) {\n%y = weighted_sum(%x, %w)\nreturn %y\n}");
  const TensorMap in = {{"x", rows({1, 2, 2}, {1, 2, 3, 4})}, {"w", rows({1, 2}, {10, 0.5})}};
  expect_near(evaluate(g, in, [](const std::string&, const Type&) { return Tensor(); })[0], {11.5, 22});
}

TEST(Eval, rope_rotates_lane_j_with_lane_j_plus_half) {
  const Tensor y = eval("%angles = rope_angles(%pos) {dims=2, theta=10000}", "rope(%x, %angles)",
                        rows({2, 1, 2}, {1, 0, 1, 0}));
  expect_near(y, {1, 0, std::cos(1.0), std::sin(1.0)});
}

TEST(Eval, rope_rotates_neighbouring_lanes_where_it_is_interleaved) {
  const Tensor y = eval("%angles = rope_angles(%pos) {dims=4, theta=100}",
                        "rope(%x, %angles) {interleaved=1}", rows({2, 1, 5}, {1, 2, 3, 4, 9, 1, 2, 3, 4, 9}));
  const double c = std::cos(1.0), s = std::sin(1.0), c2 = std::cos(0.1), s2 = std::sin(0.1);
  expect_near(y, {1, 2, 3, 4, 9, c - 2 * s, 2 * c + s, 3 * c2 - 4 * s2, 4 * c2 + 3 * s2, 9});
}

// Of 8 pairs with theta 1e4, pair 8 ln(512 / (2 pi turns)) / ln(1e4) turns so often in 512 positions: 32
// turns at 0.8119, 1 turn at 3.8222.
TEST(Eval, yarn_divides_the_frequencies_of_slow_lanes) {
  const auto cosines = [](const std::string& truncate) {
    const Tensor y = eval("",
                          "rope_angles(%pos) {dims=16, theta=10000, factor=4, beta_fast=32, beta_slow=1, "
                          "original=512, short_scale=2, truncate=" +
                              truncate + "}",
                          rows({2, 1}, {0, 0}));
    return std::vector<double>(y.row(1), y.row(1) + 16);
  };
  const auto expected = [](double first, double last) {
    std::vector<double> out(16);
    for (size_t j = 0; j < 8; ++j) {
      const double f = std::pow(10, -0.5 * static_cast<double>(j));
      const double divided = std::clamp((static_cast<double>(j) - first) / (last - first), 0.0, 1.0);
      out[j] = 2 * std::cos(f * (1 - divided) + f / 4 * divided);
      out[j + 8] = 2 * std::sin(f * (1 - divided) + f / 4 * divided);
    }
    return out;
  };
  const auto near = [](const std::vector<double>& got, const std::vector<double>& want) {
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], 1e-12) << i;
  };
  near(cosines("1"), expected(0, 4));
  near(cosines("0"), expected(0.8118802285956195, 3.822180185235431));
}

TEST(Eval, longrope_goes_by_the_length_of_each_rows_sequence) {
  const Graph g = parse_graph(
      "graph @g (%pos: i32[T], %length: i32[T]) {\n%y = rope_angles(%pos, %length) {dims=2, theta=9, "
      "original=3, "
      "short_factors=[2], long_factors=[4], short_scale=3, long_scale=5}\nreturn %y\n}");
  const Tensor y =
      evaluate(g, {{"pos", {DType::i32, {3}, {1, 1, 3}}}, {"length", {DType::i32, {3}, {3, 4, 9}}}},
               [](const std::string&, const Type&) { return Tensor(); })[0];
  expect_near(y, {3 * std::cos(0.5), 3 * std::sin(0.5), 5 * std::cos(0.25), 5 * std::sin(0.25),
                  5 * std::cos(0.75), 5 * std::sin(0.75)});
}

TEST(Eval, a_window_hides_older_positions) {
  // Keys are zero, so every visible position weighs the same and the result is the mean of visible values.
  const std::string declarations = "%zero = scale(%x) {by=0}\n%kv1 = kv_append(%kv, %zero, %x, %pos)";
  const Graph g =
      parse_graph("graph @g (%x: f32[T,1,1], %pos: i32[T], %kv: kv_f32[8,1,1]) {\n" + declarations +
                  "\n%y = attention(%zero, %kv1, %pos) {scale=1, window=2}\nreturn %y\n}");
  const TensorMap in = {{"x", rows({4, 1, 1}, {1, 2, 4, 8})}, {"pos", {DType::i32, {4}, {0, 1, 2, 3}}}};
  expect_near(evaluate(g, in, [](const std::string&, const Type&) { return Tensor(); })[0], {1, 1.5, 3, 6});
}

// Values of 4 with a score of 0, and a sink with one of ln 3: a quarter of the weight is theirs.
TEST(Eval, a_sink_takes_weight_and_has_no_value) {
  const Graph g = parse_graph(
      "graph @g (%x: f32[T,1,1], %pos: i32[T], %kv: kv_f32[8,1,1]) {\nweight @s : f32[1]\n%zero = scale(%x) "
      "{by=0}\n%kv1 = kv_append(%kv, %zero, %x, %pos)\n%y = attention(%zero, %kv1, %pos, @s) "
      "{scale=1}\nreturn "
      "%y\n}");
  const TensorMap in = {{"x", rows({1, 1, 1}, {4})}, {"pos", {DType::i32, {1}, {0}}}};
  expect_near(evaluate(g, in, [](const std::string&, const Type&) { return rows({1}, {std::log(3.0)}); })[0],
              {1});
}

TEST(Eval, numbers_are_kept_within_bounds_and_shifted) {
  expect_near(eval("%b = clamp(%x) {low=-1, high=2}", "shift(%b) {by=10}", rows({1, 3}, {-5, 0.5, 7})),
              {9, 10.5, 12});
}

TEST(Eval, query_heads_share_kv_heads_in_order) {
  const Graph g = parse_graph(
      "graph @g (%q: f32[T,4,1], %v: f32[T,2,1], %pos: i32[T], %kv: kv_f32[8,2,1]) {\n"
      "%kv1 = kv_append(%kv, %v, %v, %pos)\n%y = attention(%q, %kv1, %pos) {scale=1}\nreturn %y\n}");
  const TensorMap in = {
      {"q", rows({1, 4, 1}, {0, 0, 0, 0})}, {"v", rows({1, 2, 1}, {5, 7})}, {"pos", {DType::i32, {1}, {0}}}};
  expect_near(evaluate(g, in, [](const std::string&, const Type&) { return Tensor(); })[0], {5, 5, 7, 7});
}

TEST(Eval, quantize_keeps_the_largest_and_rounds_the_rest) {
  std::vector<double> x(33, 0);
  x[0] = 127;
  x[1] = -126.4;
  x[2] = 0.5;  // ties to even
  x[32] = 2;   // a block of its own
  const Tensor y = eval("", "quantize(%x)", rows({1, 33}, x));
  EXPECT_EQ(y.data[0], 127);
  EXPECT_EQ(y.data[1], -126);
  EXPECT_EQ(y.data[2], 0);
  EXPECT_NEAR(y.data[32], 2, 2e-3);
}

TEST(Eval, quantize_of_extremes_stays_finite) {
  for (double big : {0.0, 1e-38, 1e-8, 3e38}) {
    const Tensor y = eval("", "quantize(%x)", rows({1, 2}, {big, -big}));
    for (double v : y.data) EXPECT_TRUE(std::isfinite(v));
  }
}

TEST(Eval, f16_caches_round_what_they_store) {
  const Graph g = parse_graph(
      "graph @g (%x: f32[T,1,1], %pos: i32[T], %kv: kv_f16[8,1,1]) {\n%y = kv_append(%kv, %x, %x, "
      "%pos)\nreturn %y\n}");
  const TensorMap in = {{"x", rows({1, 1, 1}, {1.0001})}, {"pos", {DType::i32, {1}, {0}}}};
  EXPECT_EQ(evaluate(g, in, [](const std::string&, const Type&) { return Tensor(); })[0].data[0], 1.0);
}

TEST(Eval, int8_caches_round_each_key_and_value_as_quantize_does) {
  const auto evaluated = [](const std::string& statement, const Tensor& x) {
    const Graph g =
        parse_graph("graph @g (%x: f32[T,2,40], %pos: i32[T], %kv: kv_q8_0[8,2,40]) {\n%y = " + statement +
                    "\nreturn %y\n}");
    return evaluate(g, {{"x", x}, {"pos", {DType::i32, {1}, {0}}}},
                    [](const std::string&, const Type&) { return Tensor(); })[0];
  };
  Tensor x = make_tensor(DType::f32, {1, 2, 40});
  for (size_t i = 0; i < x.data.size(); ++i) x.data[i] = std::sin(static_cast<double>(i) * 1.7);
  const std::vector<double> rounded = evaluated("quantize(%x)", x).data;
  const std::vector<double> cached = evaluated("kv_append(%kv, %x, %x, %pos)", x).data;
  EXPECT_NE(rounded, x.data);
  for (size_t i = 0; i < cached.size(); ++i) {  // of each head a key, then a value
    EXPECT_EQ(cached[i], rounded[i / 80 * 40 + i % 40]);
  }
  x.data[41] = NAN;  // of the second head's first block: it becomes NaN, the other blocks do not
  const std::vector<double> lost = evaluated("kv_append(%kv, %x, %x, %pos)", x).data;
  for (size_t i = 0; i < lost.size(); ++i) EXPECT_EQ(std::isnan(lost[i]), i >= 80 && i % 40 < 32) << i;
}

TEST(Eval, int8_keys_want_int8_queries_and_no_others_do) {
  const auto refusal = [](const std::string& cache, const std::string& query) -> std::string {
    try {
      parse_graph("graph @g (%x: f32[T,2,40], %pos: i32[T], %kv: " + cache +
                  "[8,2,40]) {\n%q = quantize(%x)\n%y = attention(" + query +
                  ", %kv, %pos) {scale=1}\nreturn %y\n}");
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(refusal("kv_q8_0", "%q"), "");
  EXPECT_NE(refusal("kv_q8_0", "%x").find("q must be q8_0 rows, as quantize makes them"), std::string::npos);
  EXPECT_NE(refusal("kv_f16", "%q").find("q must be f32 rows, found q8_0[T,2,40]"), std::string::npos);
}

TEST(Eval, f16_conversion_is_exact_both_ways_for_every_half) {
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const float f = f16_to_f32(static_cast<uint16_t>(h));
    if (std::isnan(f)) continue;
    EXPECT_EQ(f32_to_f16(f), h);
  }
}

TEST(Eval, more_chunks_than_attention_split_has_room_for_are_an_error) {
  EXPECT_THROW(
      eval("%h = reshape(%x) {shape=[1,8]}\n%kv = kv_append(%c, %h, %h, %pos)",
           "attention_split(%h, %kv, %pos) {scale=1, chunk=2, chunks=2}", make_tensor(DType::f32, {7, 8})),
      Error);
}

TEST(Algorithms, a_set_with_a_path_through_the_outside_is_not_convex) {
  const Graph g =
      parse_graph("graph @g (%x: f32[T,4]) {\n%a = silu(%x)\n%b = relu(%a)\n%c = add(%a, %b)\nreturn %c\n}");
  const std::vector<OpId> ops = g.ops();
  EXPECT_TRUE(is_convex(g, ops));
  EXPECT_TRUE(is_convex(g, std::vector{ops[0], ops[1]}));
  EXPECT_FALSE(is_convex(g, std::vector{ops[0], ops[2]}));
}

TEST(Algorithms, transitive_reduction_drops_implied_edges) {
  EXPECT_EQ(transitive_reduction({{1, 2, 3}, {2}, {3}, {}}), (Successors{{1}, {2}, {3}, {}}));
  EXPECT_THROW(transitive_reduction({{1}, {0}}), Error);
}

TEST(Algorithms, colouring_separates_neighbours) {
  const std::vector<std::vector<int>> conflicts = {{1, 2}, {0, 2}, {0, 1}, {}};
  const std::vector<int> colour = greedy_colouring(conflicts);
  EXPECT_NE(colour[0], colour[1]);
  EXPECT_NE(colour[1], colour[2]);
  EXPECT_NE(colour[0], colour[2]);
  EXPECT_LT(colour[3], 3);
}

TEST(Algorithms, dot_escapes_what_would_end_its_quotes_or_move_a_cursor) {
  Graph g;
  const ValueId w = g.add_weight("a\"];b\\n\x1b<c>", {DType::f32, {2, 4}});
  g.set_outputs({g.result(g.add_op("linear", {g.add_input("x", {DType::f32, {kDimT, 4}}), w}))});
  EXPECT_NE(to_dot(g).find(R"([shape=box,label="@a\"];b\\n\\x1b<c>\nf32[2,4]",)"), std::string::npos)
      << to_dot(g);
}

TEST(Algorithms, dot_shows_ops_and_weights) {
  const std::string dot = to_dot(
      parse_graph("graph @g (%x: f32[T,4]) {\nweight @w : f32[2,4]\n%y = linear(%x, @w)\nreturn %y\n}"));
  EXPECT_NE(dot.find("linear"), std::string::npos);
  EXPECT_NE(dot.find("@w"), std::string::npos);
}

}  // namespace
}  // namespace lmc
