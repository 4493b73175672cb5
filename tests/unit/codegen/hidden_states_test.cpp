// The step that hands out the last hidden states: what the logits are made of, with the same bits in any
// step.
#include "passes/engine/hidden_states.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compiled_model.h"
#include "ir/eval.h"
#include "ir/text.h"
#include "tests/unit/codegen/golden_folder.h"

namespace lmc {
namespace {

constexpr int64_t kBlock = 16;

class HiddenStates : public testing::TestWithParam<std::string> {
 protected:
  // As lmc compile does.
  Compiled compiled(const std::string& format) {
    PassOptions passes;
    passes.settings["quantize"] = {{"format", format}, {"min_dim", "32"}};
    passes.settings["kv-format"] = {{"format", format == "none" ? "f32" : "f16"}};
    passes.repro_path.clear();
    run_passes(model_.graph, passes);
    CodegenOptions options;
    options.context = model_.context;
    return compile_graph(model_.graph, *model_.weights, {.block = kBlock, .hidden = true}, options);
  }

  std::vector<int32_t> ids() const {
    std::vector<int32_t> out;
    for (int32_t i = 0; i < 23; ++i) out.push_back((i * 37 + 5) % 64);
    return out;
  }

  Model model_ = load_model(golden_folder() + "/" + GetParam(), {});
};

// Of all ids, fed so many at a time beside the same ids of another sequence, if that is wanted.
std::vector<float> states_of(Session& session, std::span<const int32_t> ids, size_t at_a_time, bool beside) {
  Sequence own(session.plan()), other(session.plan());
  const auto size = static_cast<size_t>(session.hidden_size());
  std::vector<float> out;
  for (size_t at = 0; at < ids.size(); at += at_a_time) {
    const auto piece = ids.subspan(at, std::min(at_a_time, ids.size() - at));
    std::vector<StepRow> rows;
    for (const int32_t id : piece) {
      if (beside) rows.push_back({&other, id, false});
      rows.push_back({&own, id});
    }
    const auto states = session.hidden_rows(rows).value();
    EXPECT_EQ(states.size(), piece.size() * size);
    out.insert(out.end(), states.begin(), states.end());
  }
  return out;
}

TEST_P(HiddenStates, are_those_of_the_evaluator_before_any_pass) {
  Graph graph = hidden_states(model_.graph).value();
  PassOptions passes;
  passes.only = std::vector<std::string>{"kv-format"};
  passes.settings["kv-format"] = {{"format", "f32"}};
  run_passes(graph, passes);
  const Tensor want = evaluate(graph, step_inputs(ids(), true), *model_.weights)[0];
  const Compiled c = compiled("none");
  const auto session = c.session();
  ASSERT_EQ(session->hidden_size(), want.last());
  const std::vector<float> got = states_of(*session, ids(), kBlock, false);
  ASSERT_EQ(got.size(), want.data.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want.data[i], 5e-4) << i;
}

TEST_P(HiddenStates, have_the_same_bits_in_any_step) {
  for (const char* format : {"none", "q8_0"}) {
    const Compiled c = compiled(format);
    const auto session = c.session();
    const std::vector<float> want = states_of(*session, ids(), kBlock, false);
    EXPECT_EQ(want, states_of(*session, ids(), 1, false)) << format;
    EXPECT_EQ(want, states_of(*session, ids(), 7, true)) << format;
    // What they leave in the caches is what a prompt does.
    Sequence a(session->plan()), b(session->plan());
    std::vector<StepRow> rows;
    for (const int32_t id : ids()) rows.push_back({&a, id, false});
    for (size_t at = 0; at < rows.size(); at += 8)
      session->hidden_rows(std::span(rows).subspan(at, std::min<size_t>(8, rows.size() - at)));
    for (StepRow& row : rows) row.sequence = &b;
    for (size_t at = 0; at < rows.size(); at += 8)
      session->step_rows(std::span(rows).subspan(at, std::min<size_t>(8, rows.size() - at)));
    const StepRow last_a{&a, 7}, last_b{&b, 7};
    const auto la = session->step_rows({&last_a, 1}).value();
    const std::vector<float> kept(la.begin(), la.end());
    const auto lb = session->step_rows({&last_b, 1}).value();
    EXPECT_EQ(kept, std::vector<float>(lb.begin(), lb.end()));
    model_ = load_model(golden_folder() + "/" + GetParam(), {});
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, HiddenStates, testing::Values("gemma3-a", "gpt2-a"),
                         [](const auto& info) { return info.param.substr(0, info.param.find('-')); });

TEST(HiddenStatesOfAGraph, stand_before_quantising_also_in_groups) {
  const Graph g = parse_graph(R"(graph @g (%x: f32[R,32], %other: f32[R,32]) {
  weight @w : f32[64,32]
  weight @n : f32[32]
  %y = group(%x, @n, @w) {name=head} : f32[R,64] {
    inputs (%x: f32[R,32], %n: f32[32], %w: f32[64,32])
    %h = rms_norm(%x, %n) {eps=1e-6}
    %hq = quantize(%h) {format=q8_0}
    %wq = quantize(%w) {format=q8_0}
    %l = linear(%hq, %wq) {role=lm_head}
    return %l
  }
  %logits = softcap(%y) {cap=30}
  return %logits, %other
})");
  const Graph states = hidden_states(g).value();
  ASSERT_EQ(states.outputs().size(), 2u);
  EXPECT_EQ(states.type(states.outputs()[0]).str(), "f32[R,32]");
  EXPECT_EQ(states.ops().size(), 1u);
  EXPECT_EQ(states.op(states.ops()[0]).body->ops().size(), 1u);
  EXPECT_FALSE(
      hidden_states(parse_graph("graph @g (%x: f32[R,32]) {\n  weight @w : f32[64,32]\n"
                                "  %l = linear(%x, @w) {role=ffn_up}\n  return %l\n}")));
}

}  // namespace
}  // namespace lmc
