// Caches of rows, caches of different widths, and what reads them, on numbers worked out by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "ir/cache_layout.h"
#include "ir/error.h"
#include "ir/eval.h"
#include "ir/text.h"

namespace lmc::cached_rows {
namespace {

Tensor rows_of(std::vector<int64_t> dims, std::vector<double> data) {
  return {DType::f32, std::move(dims), std::move(data)};
}

Tensor positions(int64_t first, int64_t count) {
  Tensor pos = make_tensor(DType::i32, {count});
  for (int64_t i = 0; i < count; ++i) pos.data[static_cast<size_t>(i)] = static_cast<double>(first + i);
  return pos;
}

const char* const kConvolution = R"(graph @g (%x: f32[T,2], %pos: i32[T], %rows: kv_f32[3,2]) {
  weight @w : f32[2,1,3]
  weight @b : f32[2]
  %r = rows_append(%rows, %x, %pos)
  %y = short_conv(%r, %pos, transpose(flatten(@w)), @b)
  return %y, %r
})";

TensorMap weights() {
  return {{"w", rows_of({2, 1, 3}, {100, 10, 1, 0, 0, 2})}, {"b", rows_of({2}, {0.5, 0})}};
}

TEST(Rows, the_last_tap_meets_the_tokens_own_row) {
  const TensorMap w = weights();
  const auto weight = [&](const std::string& name, const Type&) { return w.at(name); };
  const Graph g = parse_graph(kConvolution);
  const auto out =
      evaluate(g, {{"x", rows_of({4, 2}, {1, 1, 2, 1, 3, 1, 4, 1})}, {"pos", positions(0, 4)}}, weight);
  EXPECT_EQ(out[0].data, (std::vector<double>{1.5, 2, 12.5, 2, 123.5, 2, 234.5, 2}));
  // One after the other, going on from what was kept.
  Tensor kept = make_tensor(DType::kv_f32, {0, 1, 2});
  for (int64_t t = 0; t < 4; ++t) {
    const auto one = evaluate(
        g,
        {{"x", rows_of({1, 2}, {static_cast<double>(t + 1), 1})}, {"pos", positions(t, 1)}, {"rows", kept}},
        weight);
    EXPECT_EQ(one[0].data[0], out[0].row(t)[0]);
    kept = one[1];
  }
}

TEST(Rows, join_stands_what_has_one_head_with_each_of_the_others) {
  const Graph g = parse_graph("graph @g (%a: f32[T,2,1], %b: f32[T,1,2]) {\n%y = join(%a, %b)\nreturn %y\n}");
  const Tensor y = evaluate(g, {{"a", rows_of({1, 2, 1}, {1, 2})}, {"b", rows_of({1, 1, 2}, {8, 9})}},
                            [](const std::string&, const Type&) { return Tensor(); })[0];
  EXPECT_EQ(y.dims, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(y.data, (std::vector<double>{1, 8, 9, 2, 8, 9}));
}

TEST(Rows, values_may_be_wider_than_keys) {
  const Graph g =
      parse_graph(R"(graph @g (%q: f32[T,1,1], %v: f32[T,1,2], %pos: i32[T], %kv: kv_f32[8,1,1,2]) {
  %kv1 = kv_append(%kv, %q, %v, %pos)
  %y = attention(%q, %kv1, %pos) {scale=1}
  return %y
})");
  const Tensor y = evaluate(
      g,
      {{"q", rows_of({2, 1, 1}, {0, 0})}, {"v", rows_of({2, 1, 2}, {1, 2, 3, 6})}, {"pos", positions(0, 2)}},
      [](const std::string&, const Type&) { return Tensor(); })[0];
  EXPECT_EQ(y.data, (std::vector<double>{1, 2, 2, 4}));
}

// Group 0 has the best expert, group 1 the best pair; a bias chooses and does not weigh.
TEST(Rows, routing_keeps_the_groups_whose_two_best_add_up_to_most) {
  const auto route = [](const std::string& attrs, bool bias) {
    const Graph g =
        parse_graph("graph @g (%x: f32[T,4]) {\nweight @b : f32[4]\n%p, %ids = route(%x" +
                    std::string(bias ? ", @b" : "") + ") {score=sigmoid, " + attrs + "}\nreturn %p, %ids\n}");
    const auto logit = [](double p) { return std::log(p / (1 - p)); };
    return evaluate(g, {{"x", rows_of({1, 4}, {logit(0.9), logit(0.1), logit(0.6), logit(0.5)})}},
                    [](const std::string&, const Type&) {
                      return rows_of({4}, {0, 0.95, 0, 0});
                    });
  };
  const auto near = [](const Tensor& t, std::vector<double> want) {
    ASSERT_EQ(t.data.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(t.data[i], want[i], 1e-12);
  };
  near(route("k=2", false)[1], {0, 2});
  near(route("k=2, groups=2, kept=1", false)[1], {2, 3});
  near(route("k=2, groups=2, kept=1, factor=2", false)[0], {12.0 / 11, 10.0 / 11});
  const auto biased = route("k=2, groups=2, kept=1, normalise=0", true);
  near(biased[1], {1, 0});
  near(biased[0], {0.1, 0.9});
}

TEST(Rows, what_does_not_fit_is_refused) {
  const auto message = [](const std::string& text) {
    try {
      parse_graph(text);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  const auto expect = [&](const std::string& inputs, const std::string& call, const std::string& part) {
    const std::string got = message("graph @g (" + inputs + ") {\n%y = " + call + "\nreturn %y\n}");
    EXPECT_NE(got.find(part), std::string::npos) << got;
  };
  expect("%r: kv_f16[3,4], %x: f32[T,4], %pos: i32[T]", "rows_append(%r, %x, %pos)", "kv_f32 [span, D]");
  expect("%r: kv_f32[3,4], %x: f32[T,5], %pos: i32[T]", "rows_append(%r, %x, %pos)", "does not fit cache");
  expect("%r: kv_f32[3,4], %pos: i32[T], %w: f32[4,4]", "short_conv(%r, %pos, %w)", "do not fit cache");
  expect("%r: kv_f32[99,4], %pos: i32[T], %w: f32[65,4]", "short_conv(%r, %pos, %w)", "64 taps at most");
  expect("%k: kv_f32[3,4], %x: f32[T,1,4], %pos: i32[T]", "kv_append(%k, %x, %x, %pos)", "keys and values");
  expect("%k: kv_f32[3,1,4,5], %x: f32[T,1,4], %pos: i32[T]", "kv_append(%k, %x, %x, %pos)",
         "does not fit cache");
  expect("%a: f32[T,2,3], %b: f32[T,3,3]", "join(%a, %b)", "neither one head nor 3");
  expect("%r: kv_f32[3,4], %x: f32[T,4], %pos: i32[T]", "rows_append(rows_append(%r, %x, %pos), %x, %pos)",
         "appends to a cache that holds %pos already");
}

TEST(Rows, a_cache_has_the_type_that_it_was_made_of) {
  for (const Type& t :
       {Type{DType::kv_f32, {3, 56}}, Type{DType::kv_f16, {9, 2, 8}}, Type{DType::kv_q8_0, {9, 2, 8, 40}}}) {
    const CacheShape s = cache_shape(t);
    EXPECT_EQ(cache_type({"kv", t.dtype, s.span, 64, s.heads, s.key, s.value, 0}), t);
  }
  EXPECT_THROW(cache_shape(Type{DType::kv_f32, {3}}), Error);
  EXPECT_THROW(cache_shape(Type{DType::f32, {3, 4}}), Error);
}

}  // namespace
}  // namespace lmc::cached_rows
