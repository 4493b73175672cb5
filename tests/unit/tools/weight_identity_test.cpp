// Which weights of several graphs are the same.
#include "tools/bundle/weight_identity.h"

#include <gtest/gtest.h>

#include "ir/text.h"

namespace lmc {
namespace {

std::vector<int64_t> numbers(WeightIdentity& identity, const std::string& text) {
  const Graph g = parse_graph(text);
  std::vector<ValueId> values;
  for (OpId id : g.ops()) {
    if (g.op(id).def->name == "pack") values.push_back(g.result(id));
  }
  return identity.of(g, values);
}

TEST(WeightIdentity, is_the_same_for_the_same_ops_on_the_same_tensors) {
  WeightIdentity identity;
  const auto one = numbers(identity, R"(graph @g (%x: f32[T,8]) {
  weight @a : f32[16,8]
  weight @n : f32[8]
  %a0 = slice(@a) {start=0, size=8}
  %pa = pack(%a0) {layout="f32"}
  %pn = pack(@n) {layout="f32"}
  %y = rms_norm(%x, %pn) {eps=1e-6}
  %z = linear(%y, %pa)
  return %z
})");
  const auto two = numbers(identity, R"(graph @h (%x: f32[T,8]) {
  weight @n : f32[8]
  weight @a : f32[16,8]
  %norm = pack(@n) {layout="f32"}
  %other = slice(@a) {start=8, size=8}
  %same = slice(@a) {start=0, size=8}
  %p1 = pack(%other) {layout="f32"}
  %p2 = pack(%same) {layout="f32"}
  %y = rms_norm(%x, %norm) {eps=1e-6}
  %z = linear(%y, %p1)
  %w = linear(%z, %p2)
  return %w
})");
  ASSERT_EQ(one.size(), 2U);
  ASSERT_EQ(two.size(), 3U);
  EXPECT_EQ(two[0], one[1]);  // the norm
  EXPECT_NE(two[1], one[0]);  // other rows
  EXPECT_EQ(two[2], one[0]);
}

}  // namespace
}  // namespace lmc
