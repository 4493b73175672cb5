// A format of two files (made_up_format/) is a format like any other: the IR knows it, kernels multiply with
// it.
#include <gtest/gtest.h>

#include "agreement.h"
#include "eight_rows.h"
#include "ir/block_format.h"

namespace lmc {
namespace {

TEST(MadeUpFormat, has_a_name_a_size_and_a_layout) {
  const DType t4 = *dtype_from_name("t4");
  EXPECT_TRUE(is_quantised(t4));
  EXPECT_TRUE(is_weight_format(t4));
  EXPECT_EQ(storage_bytes(t4, 3 * 70, 70), 3 * 3 * 18);
  EXPECT_EQ(eight_rows(t4).dtype(), t4);
  EXPECT_NE(weight_format_names().find(", t4"), std::string::npos);
}

TEST(MadeUpFormat, multiplies_and_is_looked_up_as_the_evaluator_does) {
  for (auto [k, n] : {std::pair<int64_t, int64_t>{33, 9}, {257, 24}, {600, 200}}) {
    const std::string w = "  weight @w : bf16[" + num(n) + "," + num(k) + "]\n";
    expect_agreement(
        model(k, w, "  %q = quantize(%x)\n  %qw = quantize(@w) {format=t4}\n  %y = linear(%q, %qw)\n"), 47,
        1e-5);
  }
  expect_agreement(
      "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]) {\n  weight @embed : bf16[19,40]\n"
      "  %t = quantize(@embed) {format=t4}\n  %x = embedding(%tokens, %t)\n"
      "  %r = select_rows(%x, %out_rows)\n  %q = quantize(%r)\n  %logits = linear(%q, %t)\n"
      "  return %logits\n}\n",
      9, 1e-5);
}

}  // namespace
}  // namespace lmc
