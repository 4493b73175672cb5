// The proof of kernels: right ones pass it on every target, wrong ones are named with the first wrong
// element.
#include <gtest/gtest.h>

#include "agreement.h"
#include "codegen/codegen.h"
#include "codegen/proof/prove.h"
#include "codegen/target.h"
#include "ir/text.h"
#include "passes/engine/lowering.h"
#include "quiet.h"

namespace lmc {
namespace {

Proof proof_of(const std::string& text, const std::string& target, bool all = true) {
  const CodegenResult code = emit(lower(parse_graph(text), {16, target}, quiet()), {});
  return prove_kernels(code.graphs, code.plan, LoadedKernels(code.object), all);
}

// Gate and up, the activation, quantising in front and behind, odd sizes, a bias, an addend.
std::string feed_forward(const std::string& format, int64_t dim, int64_t inner) {
  const bool quantised = is_quantised(*dtype_from_name(format));
  const std::string d = num(dim);
  const std::string n = num(inner);
  const std::string w = quantised ? "  %wu = quantize(@up) {format=" + format +
                                        "}\n  %wd = quantize(@down) {format=" + format + "}\n"
                                  : "  %wu = concat(@up) {axis=0}\n  %wd = concat(@down) {axis=0}\n";
  const std::string q = quantised ? "quantize(%x)" : "%x";
  return model(dim,
               "  weight @up : f32[" + num(2 * inner) + "," + d + "]\n  weight @down : f32[" + d + "," + n +
                   "]\n  weight @b : f32[" + d + "]\n",
               w + "  %h = linear(" + q + ", %wu) {role=ffn_gate_up}\n  %p, %u = split(%h) {sizes=[" + n +
                   "," + n + "]}\n  %a = silu(%p)\n  %m = mul(%a, %u)\n  %l = linear(" +
                   (quantised ? "quantize(%m)" : "%m") + ", %wd, @b) {role=ffn_down}\n  %y = add(%x, %l)\n");
}

TEST(ProofInDepth, right_kernels_pass_it_on_every_target_of_this_machine) {
  for (const Target* target : targets_here()) {
    for (const char* format : {"f32", "q8_0", "q4_0", "q4_k", "iq4_nl", "q5_0", "q5_k", "q6_k"}) {
      for (const auto& [dim, inner] : {std::pair<int64_t, int64_t>{40, 72}, {256, 704}}) {
        const Proof p = proof_of(feed_forward(format, dim, inner), target->name());
        EXPECT_FALSE(p.wrong.has_value()) << target->name() << " " << format << ": " << p.wrong->str();
        EXPECT_GT(p.kernels, 4U);
        EXPECT_EQ(p.verified, p.kernels);
      }
    }
  }
}

TEST(Proof, a_kernel_of_another_group_is_found_with_its_first_wrong_element) {
  const std::string text =
      model(16, "  weight @a : f32[16,16]\n  weight @b : f32[16,16]\n",
            "  %h = group(%x, @a) {name=one} : f32[T,16] {\n    inputs (%x: f32[T,16], %w: "
            "f32[16,16])\n    %l = linear(%x, %w) {role=ffn_up}\n    %s = silu(%l)\n    return %s\n  }\n"
            "  %y = group(%h, @b) {name=two} : f32[T,16] {\n    inputs (%x: f32[T,16], %w: "
            "f32[16,16])\n    %l = linear(%x, %w) {role=ffn_down}\n    %s = tanh(%l)\n    return %s\n  }\n");
  CodegenResult code = emit(lower(parse_graph(text), {16}, quiet()), {});
  std::vector<PlanStage*> linears;
  for (PlanStage& s : code.plan.decode.stages) {
    if (s.work.core == "linear") linears.push_back(&s);
  }
  ASSERT_EQ(linears.size(), 2U);
  std::swap(linears[0]->symbol, linears[1]->symbol);
  const Proof p = prove_kernels(code.graphs, code.plan, LoadedKernels(code.object), false);
  ASSERT_TRUE(p.wrong.has_value());
  EXPECT_EQ(p.wrong->step, "decode");
  EXPECT_EQ(p.wrong->group, "h");
  EXPECT_NE(p.wrong->str().find("where the evaluator of its group says"), std::string::npos)
      << p.wrong->str();
  EXPECT_LT(p.verified, p.kernels);
  // What is left for whoever looks into it is the group alone, and reads back.
  const Graph repro = parse_graph(print_graph(p.wrong->repro));
  const std::vector<OpId> ops = repro.ops();
  EXPECT_EQ(std::count_if(ops.begin(), ops.end(), [&](OpId id) { return repro.op(id).body != nullptr; }), 1);
}

TEST(Proof, kernels_that_read_the_length_beside_other_ops_are_tried_on_both_sides_of_its_border) {
  const std::string text =
      "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R], %length: i32[T]) {\n"
      "  weight @embed : f32[11,8]\n  %x = embedding(%tokens, @embed)\n"
      "  %an = rope_angles(%pos, %length) {dims=4, theta=100, original=16, short_factors=[1,1.5], "
      "long_factors=[2,3], short_scale=1.1, long_scale=1.2}\n  %h = reshape(%x) {shape=[2,4]}\n"
      "  %p = rope(%h, %an)\n  %y = reshape(%p) {shape=[8]}\n  %s = silu(%y)\n"
      "  %logits = select_rows(%s, %out_rows)\n  return %logits\n}\n";
  const Proof p = proof_of(text, "native");
  EXPECT_FALSE(p.wrong.has_value()) << p.wrong->str();
  EXPECT_EQ(p.verified, p.kernels);
}

}  // namespace
}  // namespace lmc
