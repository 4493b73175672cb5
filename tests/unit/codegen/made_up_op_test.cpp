// Ops of two files, and on weights of one (made_up_op/), are ops like any other: evaluated, fused, folded
// into weights, compiled.
#include <gtest/gtest.h>

#include "agreement.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "quiet.h"

namespace lmc {
namespace {

TEST(MadeUpOp, is_fused_as_the_activation_it_says_it_is) {
  Graph g = parse_graph(
      model(8, "  weight @w : f32[8,8]\n", "  %l = linear(%x, @w) {role=ffn_up}\n  %y = cube(%l)\n"));
  PassOptions o = quiet();
  o.only = std::vector<std::string>{"fuse-up-act"};
  EXPECT_EQ(run_passes(g, o).at(0).applications, 1);
}

TEST(MadeUpOp, computes_in_every_kind_of_kernel_what_it_means) {
  const std::string w = "  weight @w : bf16[20,20]\n";
  expect_agreement(model(20, w, "  %y = cube(%x)\n"), 9, 1e-5);
  expect_agreement(model(20, w, "  %l = linear(%x, @w) {role=ffn_up}\n  %y = cube(%l)\n"), 9, 1e-5);
  expect_agreement(model(20, w, "  %c = cube(%x)\n  %y = linear(%c, @w) {role=ffn_down}\n"), 9, 1e-5);
}

TEST(MadeUpOp, works_on_weights_when_compiling) {
  const std::string w = "  weight @w : f32[20,20]\n";
  expect_agreement(model(20, w, "  %y = linear(%x, cube(@w))\n"), 9, 1e-5);
}

TEST(MadeUpOp, on_weights_is_one_file) {
  EXPECT_EQ(get_op("backwards").category, OpCategory::weight);
  for (const char* dtype : {"f32", "bf16", "f16"}) {
    const std::string w = std::string("  weight @w : ") + dtype + "[24,20]\n";
    expect_agreement(model(20, w, "  %y = linear(%x, backwards(@w))\n"), 9, 1e-5);
    expect_agreement(
        model(20, w, "  %y = linear(%x, slice(backwards(backwards(concat(@w, @w)))) {start=3, size=30})\n"),
        9, 1e-5);
  }
  expect_agreement(model(20, "  weight @w : f32[24,20]\n",
                         "  %q = quantize(%x)\n  %w = quantize(backwards(@w))\n  %y = linear(%q, %w)\n"),
                   9, 1e-5);
}

}  // namespace
}  // namespace lmc
