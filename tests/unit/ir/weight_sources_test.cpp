// Where the rows of weight expressions come from, through slices, concats and transposes.
#include "ir/weight_sources.h"

#include <gtest/gtest.h>

#include "ir/text.h"

namespace lmc {
namespace {

std::vector<std::string> rows_of(const std::string& weight, const std::string& projection = "linear(%x, ") {
  const Graph g = parse_graph(
      "graph @t (%x: f32[T,4], %ids: i32[T,1]) {\n  weight @a : f32[6,4]\n  weight @b : f32[2,4]\n  weight "
      "@conv : f32[4,6]\n"
      "  %y = " +
          projection + weight + ")\n  return %y\n}\n",
      "t.lmir");
  std::vector<std::string> out;
  for (const WeightRows& r : weight_rows(g, g.def_op(g.outputs()[0])->operands[1])) out.push_back(r.str());
  return out;
}

using Names = std::vector<std::string>;

TEST(WeightRows, a_tensor_is_itself) { EXPECT_EQ(rows_of("@a"), Names{"a"}); }

TEST(WeightRows, slices_are_named_by_their_range) {
  EXPECT_EQ(rows_of("slice(@a) {start=2, size=3}"), Names{"a[2:5]"});
  EXPECT_EQ(rows_of("slice(slice(@a) {start=2, size=3}) {start=1, size=2}"), Names{"a[3:5]"});
}

TEST(WeightRows, concats_list_their_parts_and_join_neighbours) {
  EXPECT_EQ(rows_of("concat(@b, @a)"), (Names{"b", "a"}));
  EXPECT_EQ(rows_of("concat(slice(@a) {start=0, size=2}, slice(@a) {start=2, size=4})"), Names{"a"});
}

TEST(WeightRows, a_transposed_tensor_counts_its_columns) {
  EXPECT_EQ(rows_of("transpose(slice(@conv) {axis=1, start=4, size=2})"), Names{"conv[4:6]"});
}

TEST(WeightRows, a_stack_lists_its_matrices_and_what_is_joined_within_each) {
  const auto of_experts = [](const std::string& weight) {
    return rows_of(weight + ", %ids", "linear_experts(%x, ");
  };
  EXPECT_EQ(of_experts("stack(@a, @a)"), (Names{"a", "a"}));
  EXPECT_EQ(of_experts("concat(stack(@a, @a), stack(@b, @b)) {axis=1}"), (Names{"a", "b", "a", "b"}));
  EXPECT_EQ(of_experts("concat(stack(@a), stack(@a, @a)) {axis=0}"), (Names{"a", "a", "a"}));
  EXPECT_EQ(of_experts("stack(slice(@a) {start=1, size=2}, @b)"), (Names{"a[1:3]", "b"}));
}

TEST(WeightRows, rows_equally_far_apart_are_named_by_their_step) {
  const std::string odd = "slice(@a) {start=1, size=1, every=2}";
  EXPECT_EQ(rows_of(odd), Names{"a[1:6:2]"});
  EXPECT_EQ(rows_of("concat(slice(@a) {start=0, size=1, every=2}, " + odd + ")"),
            (Names{"a[0:5:2]", "a[1:6:2]"}));
  const std::vector<WeightRows> all = {{"a", 1, 3, 6, 2}};
  EXPECT_EQ(part_of(all, 1, 2), (std::vector<WeightRows>{{"a", 3, 2, 6, 2}}));
  EXPECT_EQ(part_of(all, 1, 1), (std::vector<WeightRows>{{"a", 3, 1, 6}}));
  EXPECT_EQ(all[0].index(3), 1);
  EXPECT_EQ(all[0].index(4), -1);
  EXPECT_EQ(all[0].index(7), -1);
}

TEST(WeightRows, parts_are_cut_across_borders) {
  const std::vector<WeightRows> all = {{"a", 0, 6, 6}, {"b", 0, 2, 2}};
  EXPECT_EQ(part_of(all, 4, 3), (std::vector<WeightRows>{{"a", 4, 2, 6}, {"b", 0, 1, 2}}));
  EXPECT_TRUE(part_of(all, 8, 0).empty());
}

}  // namespace
}  // namespace lmc
