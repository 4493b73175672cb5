// Experts that are dealt out to ranks: what a part of them makes, and how it is added up.
#include <gtest/gtest.h>

#include "ir/eval.h"
#include "ir/text.h"

namespace lmc::dealt_experts {
namespace {

using WeightOf = std::function<Tensor(const std::string& name, const Type&)>;

std::vector<double> result(const std::string& text, const TensorMap& inputs, const WeightOf& weights = {}) {
  return evaluate(parse_graph(text), inputs, weights)[0].data;
}

Tensor filled(std::vector<int64_t> dims, std::vector<double> data) {
  Tensor t = make_tensor(DType::f32, std::move(dims));
  t.data = std::move(data);
  return t;
}

// Experts 0 to 3: between the borders 1, 2 and 4 the sums are 0.5 * 3 and 0; expert 0 is another rank's.
TEST(DealtExperts, a_weighted_sum_leaves_out_those_beyond_its_borders) {
  const TensorMap in = {{"x", filled({2, 3, 1}, {1, 3, 7, 1, 3, 7})},
                        {"w", filled({2, 3}, {10, 0.5, 2, 10, 0.5, 2})},
                        {"ids", filled({2, 3}, {0, 1, 0, 3, 0, 2})}};
  EXPECT_EQ(result("graph @g (%x: f32[T,3,1], %w: f32[T,3], %ids: i32[T,3]) {\n"
                   "%y = weighted_sum(%x, %w, %ids) {borders=[1,2,4], of=4}\nreturn %y\n}",
                   in),
            (std::vector<double>{1.5, 24}));
}

TEST(DealtExperts, those_of_another_rank_make_zeros_without_a_bias) {
  const TensorMap in = {{"x", filled({1, 1}, {2})}, {"ids", filled({1, 3}, {4, 3, 2})}};
  const auto weight = [](const std::string& name, const Type& type) {
    return name == "c" ? filled(type.dims, {100, 200}) : filled({1, 1}, {name == "a" ? 5.0 : 7.0});
  };
  EXPECT_EQ(result("graph @g (%x: f32[T,1], %ids: i32[T,3]) {\nweight @a : f32[1,1]\nweight @b : f32[1,1]\n"
                   "weight @c : f32[2,1]\n%y = linear_experts(%x, stack(@a, @b), %ids, @c) {first=2, of=5}\n"
                   "return %y\n}",
                   in, weight),
            (std::vector<double>{0, 214, 110}));
}

TEST(DealtExperts, a_stack_is_cut_into_whole_matrices) {
  const auto weight = [](const std::string&, const Type& type) {
    return filled(type.dims, {1, 2, 3, 4, 5, 6});
  };
  EXPECT_EQ(result("graph @g () {\nweight @w : f32[3,2,1]\n%y = slice(@w) {start=1, size=2}\nreturn %y\n}",
                   {}, weight),
            (std::vector<double>{3, 4, 5, 6}));
}

}  // namespace
}  // namespace lmc::dealt_experts
