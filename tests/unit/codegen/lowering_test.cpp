// Lowering: what runs is IR, one group for each kernel, and equal text is equal code.
#include "passes/engine/lowering.h"

#include <gtest/gtest.h>

#include <set>

#include "agreement.h"
#include "codegen/codegen.h"
#include "ir/eval.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "quiet.h"
#include "seeded_weights.h"

namespace lmc {
namespace {

// A layer that multiplies one half of a projection with the activation of the other, as one group.
std::string gated(const std::string& x, const std::string& y, const std::string& activated,
                  const std::string& other) {
  return "  %" + y + " = group(%" + x + ", @w_" + y + ") {name=gated} : f32[T,16] {\n" +
         "    inputs (%x: f32[T,16], %w: f32[32,16])\n    %h = linear(%x, %w) {role=ffn_gate_up}\n" +
         "    %p, %q = split(%h) {sizes=[16,16]}\n    %a = silu(%" + activated + ")\n    %m = mul(%a, %" +
         other + ")\n    return %m\n  }\n";
}

TEST(Lowering, layers_of_one_shape_that_activate_different_halves_do_not_share_a_kernel) {
  const std::string text = model(16, "  weight @w_a : f32[32,16]\n  weight @w_b : f32[32,16]\n",
                                 gated("x", "a", "p", "q") + gated("a", "b", "q", "p"), "%b");
  for (const int64_t t : {1, 7}) expect_agreement(text, t, 1e-5);
  const CodegenResult code = emit(lower(parse_graph(text), {16}, quiet()), {});
  std::set<std::string> symbols;
  for (const PlanStage& s : code.plan.decode.stages) {
    if (s.work.core == "linear") symbols.insert(s.symbol);
  }
  EXPECT_EQ(symbols.size(), 2U);
}

TEST(Lowering, halves_that_are_read_through_another_shape_are_written) {
  const std::string text = model(
      16, "  weight @w : f32[32,16]\n  weight @down : f32[16,16]\n",
      "  %n = group(%x, @w) {name=reshaped} : f32[T,16] {\n    inputs (%x: f32[T,16], %w: f32[32,16])\n"
      "    %h = linear(%x, %w)\n    %p, %q = split(%h) {sizes=[16,16]}\n    %a = silu(%p)\n"
      "    %a2 = reshape(%a) {shape=[2,8]}\n    %q2 = reshape(%q) {shape=[2,8]}\n    %m = mul(%a2, %q2)\n"
      "    %y = reshape(%m) {shape=[16]}\n    return %y\n  }\n  %y = linear(%n, @down)\n");
  for (const int64_t t : {1, 7}) expect_agreement(text, t, 1e-5);
}

TEST(Lowering, arithmetic_on_weights_in_a_group_runs_when_compiling) {
  const std::string text =
      model(16, "  weight @w : bf16[16,8]\n  weight @g : f32[16]\n",
            "  %y = group(%x, @w, @g) {name=outer} : f32[T,16] {\n"
            "    inputs (%x: f32[T,16], %w: bf16[16,8], %g: f32[16])\n    %half = scale(%g) {by=0.5}\n"
            "    %l = group(%x, %w, %half) {name=inner} : f32[T,16] {\n"
            "      inputs (%x: f32[T,16], %w: bf16[16,8], %g: f32[16])\n      %t = transpose(%w)\n"
            "      %both = concat(%t, %t)\n      %l = linear(%x, %both)\n      %m = mul(%l, %g)\n"
            "      return %m\n    }\n    %s = silu(%l)\n    return %s\n  }\n");
  for (const int64_t t : {1, 7}) expect_agreement(text, t, 1e-5);
}

const char* const kRace =
    R"(graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R], %kv: kv_f32[64,1,16]) {
  weight @embed : f32[11,16]
  %x = embedding(%tokens, @embed)
  %h = reshape(%x) {shape=[1,16]}
  %kv1 = kv_append(%kv, %h, %h, %pos)
  %a = attention(%h, %kv, %pos) {scale=1}
  %y = reshape(%a) {shape=[16]}
  %logits = select_rows(%y, %out_rows)
  return %logits, %kv1
})";

TEST(Lowering, a_cache_read_beside_its_append_is_refused_by_name) {
  try {
    lower(parse_graph(kRace), {16}, quiet());
    FAIL() << "accepted";
  } catch (const Error& e) {
    const std::string what = e.what();
    EXPECT_NE(what.find("attention %a reads cache %kv beside kv_append %kv1"), std::string::npos) << what;
  }
}

TEST(Lowering, what_it_tells_its_passes_itself_cannot_be_set) {
  PassOptions options = quiet();
  options.settings["specialise"]["tokens"] = "3";
  try {
    lower(parse_graph(kRace), {16}, options);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("specialise.tokens is set for each step"), std::string::npos)
        << e.what();
  }
}

TEST(Lowering, a_lowered_step_is_kernels_only_and_means_what_the_model_means) {
  const std::string text = model(
      16,
      "  weight @n : f32[16]\n  weight @qkv : f32[48,16]\n  weight @up : f32[64,16]\n  weight @o : "
      "f32[16,16]\n"
      "  weight @down : f32[16,32]\n",
      "  %norm = rms_norm(%x, @n) {eps=1e-6}\n  %all = linear(%norm, @qkv) {role=attn_qkv}\n"
      "  %q, %k, %v = split(%all) {sizes=[16,16,16]}\n  %qh = reshape(%q) {shape=[2,8]}\n"
      "  %kh = reshape(%k) {shape=[2,8]}\n  %vh = reshape(%v) {shape=[2,8]}\n"
      "  %kv1 = kv_append(%kv, %kh, %vh, %pos)\n  %att = attention(%qh, %kv1, %pos) {scale=0.3}\n"
      "  %flat = reshape(%att) {shape=[16]}\n  %o = linear(%flat, @o) {role=attn_o}\n  %res = add(%x, %o)\n" +
          std::string("  %z = group(%res, @up) {name=gated} : f32[T,32] {\n") +
          "    inputs (%x: f32[T,16], %w: f32[64,16])\n    %h = linear(%x, %w)\n"
          "    %p, %q = split(%h) {sizes=[32,32]}\n    %a = gelu_tanh(%p)\n    %m = mul(%a, %q)\n"
          "    return %m\n  }\n  %d = linear(%z, @down) {role=ffn_down}\n  %y = add(%res, %d)\n",
      "%y", ", %kv: kv_f32[600,2,8]");
  const Graph g = parse_graph(text);
  const Lowered lowered = lower(g.clone(), {16}, quiet());
  const SeededWeights weights(g);
  for (const auto& [step, tokens] : {std::pair{&lowered.decode, 1}, {&lowered.prefill, 5}}) {
    verify(*step);
    const SideTable<ValueId, char> constant = weight_only(*step);
    for (OpId id : step->ops()) {
      const Op& op = step->op(id);
      EXPECT_TRUE(constant[op.results[0]] || (op.body && !attr_string(op, "kernel").empty())) << op.def->name;
      if (!op.body) continue;
      EXPECT_GE(attr_int(op, "tiles"), 1);
      EXPECT_EQ(attr_int(op, "tokens"), tokens == 1 ? 1 : 16);
    }
    std::vector<int32_t> ids;
    for (int i = 0; i < tokens; ++i) ids.push_back(i * 3 % 11);
    const Tensor want = evaluate(g, step_inputs(ids, true), weights)[0];
    const Tensor got = evaluate(*step, step_inputs(ids, true), weights)[0];
    ASSERT_EQ(got.data.size(), want.data.size());
    for (size_t i = 0; i < want.data.size(); ++i) EXPECT_NEAR(got.data[i], want.data[i], 1e-9);
    EXPECT_EQ(print_graph(parse_graph(print_graph(*step))), print_graph(*step));
  }
}

TEST(Lowering, every_statement_of_the_model_is_found_in_a_kernel) {
  Graph g = parse_graph(model(16, "  weight @w : f32[16,16]\n", "  %a = silu(%x)\n  %y = linear(%a, @w)\n"));
  number_ops(g);
  const Plan plan = plan_only(lower(g.clone(), {16}, quiet()), {}).plan;
  for (const StepPlan* step : {&plan.decode, &plan.prefill}) {
    std::set<int32_t> computed;
    for (const PlanStage& s : step->stages) computed.insert(s.work.ops.begin(), s.work.ops.end());
    for (OpId id : g.ops()) EXPECT_TRUE(computed.contains(g.op(id).source)) << g.op(id).def->name;
  }
}

// Nothing walks a graph by recursion, and nothing takes more than linear time for a chain.
TEST(Lowering, a_chain_of_many_elementwise_ops_is_one_kernel) {
  std::string body;
  std::string last = "x";
  for (int i = 0; i < 3000; ++i) {
    const std::string next = "c" + num(i);
    body += "  %" + next + " = scale(%" + last + ") {by=1.0001}\n";
    last = next;
  }
  Lowered lowered = lower(parse_graph(model(8, "", body, "%" + last)), {16}, quiet());
  EXPECT_LE(plan_only(std::move(lowered), {}).plan.decode.stages.size(), 2U);
}

}  // namespace
}  // namespace lmc
