// A recurrent state from token to token, on numbers worked out by hand, and what is kept of it.
#include <gtest/gtest.h>

#include "ir/cache_layout.h"
#include "ir/error.h"
#include "ir/eval.h"
#include "ir/state_order.h"
#include "ir/text.h"

namespace lmc::recurrence_test {
namespace {

Tensor rows(std::vector<int64_t> dims, std::vector<double> data) {
  return {DType::f32, std::move(dims), std::move(data)};
}

Tensor positions(int64_t first, int64_t count) {
  Tensor pos = make_tensor(DType::i32, {count});
  for (int64_t i = 0; i < count; ++i) pos.data[static_cast<size_t>(i)] = static_cast<double>(first + i);
  return pos;
}

Tensor no_weight(const std::string&, const Type&) { return {}; }

// One head; a state of 2 keys and 1 value.
std::vector<Tensor> two_tokens(const std::string& more_inputs, const std::string& more, TensorMap inputs) {
  const Graph g = parse_graph(
      "graph @g (%q: f32[T,1,2], %k: f32[T,1,2], %v: f32[T,1,1], %d: f32[T,1], %pos: i32[T], %s: "
      "state_f32[1,2]" +
      more_inputs + ") {\n  %s1, %y = linear_recurrence(%s, %q, %k, %v, %d, %pos" + more +
      "\n  return %y, %s1\n}");
  inputs["q"] = rows({2, 1, 2}, {1, 0, 10, 1});
  inputs["k"] = rows({2, 1, 2}, {1, 2, 3, 0});
  inputs["v"] = rows({2, 1, 1}, {5, 7});
  inputs["d"] = rows({2, 1}, {0.1, 0.5});
  inputs["pos"] = positions(0, 2);
  return evaluate(g, inputs, no_weight);
}

TEST(Recurrence, a_state_fades_and_takes_in_key_times_value) {
  const auto out = two_tokens("", ")", {});
  EXPECT_EQ(out[1].data, (std::vector<double>{5, 10, 0.5 * 5 + 21, 0.5 * 10}));
  EXPECT_EQ(out[0].data, (std::vector<double>{5, 235 + 5}));
}

TEST(Recurrence, a_gain_is_for_what_is_taken_in_and_a_skip_for_what_passes_by) {
  const auto out = two_tokens(", %g: f32[T,1], %w: f32[1]", ", %g, %w)",
                              {{"g", rows({2, 1}, {2, 1})}, {"w", rows({1}, {100})}});
  EXPECT_EQ(out[1].data, (std::vector<double>{10, 20, 5 + 21, 10}));
  EXPECT_EQ(out[0].data, (std::vector<double>{10 + 500, 260 + 10 + 700}));
}

// Of the second key the faded state knows 0.5 * 3 * 5 already.
TEST(Recurrence, the_delta_rule_takes_out_what_is_known_of_the_key) {
  const auto out = two_tokens(", %g: f32[T,1]", ", %g) {delta=1}", {{"g", rows({2, 1}, {1, 2})}});
  const double added = 2 * (7 - 7.5);
  EXPECT_EQ(out[1].data, (std::vector<double>{5, 10, 2.5 + 3 * added, 5}));
}

TEST(Recurrence, tokens_may_come_in_any_pieces_and_the_last_states_are_kept) {
  const Graph g = parse_graph(
      "graph @g (%k: f32[T,1,3], %v: f32[T,2,17], %d: f32[T,2], %pos: i32[T], %s: state_f32[2,51]) {\n"
      "  %s1, %y = linear_recurrence(%s, %k, %k, %v, %d, %pos)\n  return %y, %s1\n}");
  const auto part = [&](int64_t first, int64_t count, const Tensor& state) {
    TensorMap in{{"pos", positions(first, count)}, {"s", state}};
    const auto fill = [&](const std::string& name, std::vector<int64_t> dims, double unit) {
      Tensor& t = in[name] = make_tensor(DType::f32, std::move(dims));
      const auto of_token = static_cast<int64_t>(t.data.size()) / count;
      for (size_t i = 0; i < t.data.size(); ++i)
        t.data[i] = unit * static_cast<double>((first * of_token + static_cast<int64_t>(i)) * 7 % 11 - 3);
    };
    fill("k", {count, 1, 3}, 0.25);
    fill("v", {count, 2, 17}, 0.5);
    fill("d", {count, 2}, 0.125);
    return evaluate(g, in, no_weight);
  };
  const Tensor none = make_tensor(DType::state_f32, {0, 2, 51});
  const auto whole = part(0, 20, none);
  EXPECT_EQ(whole[1].first, 20 - kStatesKept);
  EXPECT_EQ(whole[1].dims, (std::vector<int64_t>{kStatesKept, 2, 51}));
  const auto front = part(0, 13, none);
  const auto behind = part(13, 7, front[1]);
  EXPECT_EQ(behind[1].data, whole[1].data);
  EXPECT_TRUE(std::equal(behind[0].data.begin(), behind[0].data.end(), whole[0].data.end() - 7 * 34));
  EXPECT_THROW(part(14, 2, front[1]), Error) << "position 13 is missing";
}

TEST(Recurrence, columns_lie_in_blocks) {
  EXPECT_EQ(state_number(3, 16, 1, 5), 16 + 5);
  EXPECT_EQ(state_number(3, 20, 2, 15), 2 * 16 + 15);
  EXPECT_EQ(state_number(3, 20, 2, 16), 3 * 16 + 2 * 4);
  EXPECT_EQ(state_number(3, 20, 2, 19), 3 * 20 - 1);
}

TEST(Recurrence, what_does_not_fit_is_refused) {
  const auto expect = [](const std::string& state, const std::string& k, const std::string& d,
                         const std::string& part) {
    try {
      parse_graph("graph @g (%q: f32[T,2,4], %k: " + k + ", %v: f32[T,6,8], %d: " + d +
                  ", %pos: i32[T], %s: " + state +
                  ") {\n%s1, %y = linear_recurrence(%s, %q, %k, %v, %d, %pos)\nreturn %y\n}");
      ADD_FAILURE() << part;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
  };
  expect("state_f32[6,31]", "f32[T,2,4]", "f32[T,6]", "state_f32[6,32]");
  expect("kv_f32[6,32]", "f32[T,2,4]", "f32[T,6]", "state_f32[6,32]");
  expect("state_f32[6,32]", "f32[T,2,5]", "f32[T,6]", "q and k differ");
  expect("state_f32[6,32]", "f32[T,2,4]", "f32[T,2]", "decay must be f32[T,6]");
}

TEST(Recurrence, a_state_has_the_type_that_it_was_made_of) {
  const Type t{DType::state_f32, {6, 32}};
  const CacheShape s = cache_shape(t);
  EXPECT_EQ(s.span, 2);
  EXPECT_EQ(cache_type({"s", t.dtype, s.span, kStatesKept, s.heads, s.key, s.value, 0}), t);
  EXPECT_THROW(cache_shape(Type{DType::state_f32, {6, 4, 8}}), Error);
}

}  // namespace
}  // namespace lmc::recurrence_test
