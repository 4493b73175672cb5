// Longrope through the kernels: tests/data/golden/phi3-long changes its factors behind position 16. Its
// golden test holds what the two lists and the scale mean; here it is that no way to get at a sequence makes
// a difference.
#include <gtest/gtest.h>

#include <cmath>

#include "compiled_model.h"
#include "ir/eval.h"
#include "ir/text.h"
#include "runtime/sampler.h"

namespace lmc {
namespace {

using Ids = std::vector<int32_t>;

constexpr int64_t kBorder = 16;

Model load() { return load_model(std::string(LMC_SOURCE_DIR) + "/tests/data/golden/phi3-long", {}); }

Ids some_ids(size_t n) {
  Ids out;
  for (size_t i = 0; i < n; ++i) out.push_back(static_cast<int32_t>((i * 37 + i * i * 11 + 5) % 96));
  return out;
}

std::vector<float> copy(std::span<const float> s) { return {s.begin(), s.end()}; }

// The logits behind `ids` in a session of their own.
std::vector<float> fresh(const Compiled& c, std::span<const int32_t> ids) {
  return copy(c.session({.threads = 1})->step(ids));
}

// A generation over the border gives the bits of a fresh prefill at every length.
void check_generation(const Compiled& c) {
  const Ids all = some_ids(20);
  const auto first = [&](size_t n) { return std::span<const int32_t>(all).first(n); };
  for (const auto& [block, threads] : {std::pair<int64_t, int>{0, 1}, {1, 2}, {5, 2}}) {
    const auto s = c.session({.threads = threads, .block = block});
    EXPECT_EQ(copy(s->step(first(13))), fresh(c, first(13)));
    for (size_t n = 14; n <= all.size(); ++n)
      EXPECT_EQ(copy(s->step(first(n).last(1))), fresh(c, first(n))) << n << " tokens, blocks of " << block;
  }
  const auto s = c.session();
  s->step(first(14));
  for (size_t n = 15; n <= all.size(); ++n)
    EXPECT_EQ(s->next(first(n).last(1)), greedy(fresh(c, first(n)))) << n << " tokens";
}

// However a prompt is cut, its bits are the same.
void check_blocks(const Compiled& c) {
  for (const size_t n : {size_t{16}, size_t{17}, size_t{40}}) {
    const Ids ids = some_ids(n);
    const std::vector<float> one = c.logits(ids, 1, 1, "in-order");
    for (const int64_t block : {0, 2, 7, 16}) {
      EXPECT_EQ(c.logits(ids, 1, block, "in-order"), one) << n << " in blocks of " << block;
      EXPECT_EQ(c.logits(ids, 2, block, "flow-graph"), one) << n << " in blocks of " << block;
    }
  }
}

void check_against_evaluator(const Compiled& c) {
  Model m = load();
  PassOptions passes;
  passes.only = std::vector<std::string>{"kv-format"};
  passes.settings["kv-format"] = {{"format", "f32"}};
  run_passes(m.graph, passes);
  for (const size_t n : {size_t{16}, size_t{17}}) {
    const Ids ids = some_ids(n);
    const Tensor want = evaluate(m.graph, step_inputs(ids, true), *m.weights)[0];
    const std::vector<float> got = c.logits(ids, 1, 0, "in-order");
    ASSERT_EQ(got.size(), want.data.size());
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want.data[i], 5e-4) << n;
  }
}

// In one test, because compiling is what takes its time.
TEST(Longrope, sequences_on_both_sides_of_the_border_are_those_of_a_new_session_and_of_the_evaluator) {
  Model model = load();
  const Compiled c = compile(model, "none", 0);
  EXPECT_EQ(c.code.plan.rope_border, kBorder);
  check_generation(c);
  check_blocks(c);
  check_against_evaluator(c);
}

// A graph's inputs are what it needs: others' steps know no length.
TEST(Longrope, only_a_model_with_two_lists_of_factors_has_a_length) {
  const auto has_length = [](const std::string& name) {
    const Model m = load_model(std::string(LMC_SOURCE_DIR) + "/tests/data/golden/" + name, {});
    const auto inputs = m.graph.inputs();
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](ValueId v) { return m.graph.value(v).name == "length"; });
  };
  EXPECT_TRUE(has_length("phi3-long"));
  EXPECT_FALSE(has_length("phi3-a"));
}

// Cosines and sines by the formula, from a graph that hands them out.
TEST(Longrope, angles_are_those_of_the_formula) {
  const Graph g = parse_graph(
      "graph @angles (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R], %length: i32[T]) {\n"
      "  %a = rope_angles(%pos, %length) {dims=6, theta=100, original=4, short_factors=[1,1.5,2], "
      "long_factors=[3,4.25,5], short_scale=0.5, long_scale=1.25}\n"
      "  %logits = select_rows(%a, %out_rows)\n  return %logits\n}\n");
  CodegenOptions options;
  options.context = 64;
  Compiled c;
  c.code = emit(lower(g.clone(), {16}), options);
  c.kernels = std::make_unique<LoadedKernels>(c.code.object);
  const double factors[2][3] = {{1, 1.5, 2}, {3, 4.25, 5}};
  const double scale[2] = {0.5, 1.25};
  for (const size_t n : {size_t{4}, size_t{5}, size_t{11}}) {
    const int beyond = n > 4 ? 1 : 0;
    const std::vector<float> got = c.logits(Ids(n, 0), 1, 3, "in-order");
    ASSERT_EQ(got.size(), n * 6);
    for (size_t p = 0; p < n; ++p) {
      for (size_t j = 0; j < 3; ++j) {
        const double angle =
            static_cast<double>(p) / (std::pow(100, static_cast<double>(j) / 3) * factors[beyond][j]);
        EXPECT_NEAR(got[p * 6 + j], scale[beyond] * std::cos(angle), 1e-6);
        EXPECT_NEAR(got[p * 6 + 3 + j], scale[beyond] * std::sin(angle), 1e-6);
      }
    }
  }
}

TEST(Longrope, borders_that_differ_are_refused) {
  const Graph g = parse_graph(
      "graph @two (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R], %length: i32[T]) {\n"
      "  %a = rope_angles(%pos, %length) {dims=2, theta=100, original=4, short_factors=[1], "
      "long_factors=[3]}\n"
      "  %b = rope_angles(%pos, %length) {dims=2, theta=100, original=5, short_factors=[1], "
      "long_factors=[3]}\n"
      "  %c = add(%a, %b)\n  %logits = select_rows(%c, %out_rows)\n  return %logits\n}\n");
  try {
    emit(lower(g.clone(), {16}), {});
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("changes its factors at"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace lmc
