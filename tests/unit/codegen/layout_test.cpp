#include "codegen/layout.h"

#include <gtest/gtest.h>

#include "ir/op_def.h"
#include "ir/text.h"
#include "seeded_weights.h"

namespace lmc {
namespace {

TEST(Layout, packing_and_unpacking_give_the_weights_back) {
  Graph g = parse_graph(
      "graph @g (%x: f32[T,37]) {\n weight @a : f32[5,37]\n weight @b : f32[6,37]\n weight @t : "
      "f32[37,13]\n"
      " weight @f : f32[5,37]\n weight @i : f32[2,37]\n"
      " %s = linear(%x, @i)\n %p, %ids = route(%s) {k=1}\n"
      " %m = linear_experts(%x, concat(stack(@a, @f), stack(@b, @b)) {axis=1}, %ids)\n"
      " %c = concat(@a, @b)\n %y = linear(%x, %c)\n %u = transpose(@t)\n %z = linear(%x, slice(%u) "
      "{start=3, "
      "size=9})\n return %y, %z\n}");
  const SeededWeights source(g);
  add_packing(g);
  std::vector<ValueId> packs;
  for (OpId id : g.ops()) {
    if (g.op(id).def->name == "pack") packs.push_back(g.result(id));
  }
  ASSERT_EQ(packs.size(), 4U);
  const WeightPacker packer(g, packs, source);
  for (size_t w = 0; w < packs.size(); ++w) {
    const Type& t = g.type(packs[w]);
    const std::vector<std::byte> bytes = packer.pack(w);
    std::vector<float> got(static_cast<size_t>(t.elements()));
    std::vector<float> want(got.size());
    unpack("f32.rows8", t, bytes.data(), 0, got);
    read_weight_rows(g, packs[w], source, 0, want);
    EXPECT_EQ(got, want);
  }
}

}  // namespace
}  // namespace lmc
