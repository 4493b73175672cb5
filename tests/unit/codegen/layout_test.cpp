#include "codegen/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "eight_rows.h"
#include "ir/block_format.h"
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
  add_packing(g, eight_rows);
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
    unpack(eight_rows(DType::f32).name(), t, bytes.data(), 0, got);
    const WeightExpressions x(g, std::span(&packs[w], 1));
    WeightReader(x, source).read(x.view(packs[w]), want);
    EXPECT_EQ(got, want);
  }
}

// One tensor, "w", whose numbers are kept in a format and given as they are.
class Stored : public WeightSource {
 public:
  Stored(DType dtype, std::vector<float> x) : format_(block_format(dtype)), x_(std::move(x)) {}

  std::optional<Type> type(const std::string& /*name*/) const override { return std::nullopt; }
  void read(const std::string& /*name*/, int64_t first, std::span<float> out) const override {
    ++reads;
    std::copy_n(x_.begin() + first, out.size(), out.begin());
  }
  bool read_blocks(const std::string& /*name*/, bool transposed, DType format, int64_t first, int64_t rows,
                   std::span<std::byte> out) const override {
    if (transposed || format != format_.dtype) return false;
    const int64_t columns = static_cast<int64_t>(out.size()) / format_.bytes / std::max<int64_t>(rows, 1);
    encode_row(format_, x_.data() + first * columns, rows * columns, out.data());
    return true;
  }

  mutable std::atomic<int> reads = 0;

 private:
  const BlockFormat& format_;
  std::vector<float> x_;
};

struct Packed {
  std::vector<std::byte> bytes;
  std::vector<PackError> errors;
};

// The weight of the one linear of a graph over @w : `type`, 16 rows of 32.
Packed pack_linear(const std::string& type, const std::string& expression, const WeightSource& source,
                   NotFinite not_finite) {
  Graph g =
      parse_graph("graph @g (%x: f32[T,32]) {\n  weight @w : " + type + "[16,32]\n  %w = " + expression +
                      "\n  %y = linear(" + (expression.starts_with("quantize") ? "quantize(%x)" : "%x") +
                      ", %w)\n  return %y\n}\n",
                  "g.lmir");
  add_packing(g, eight_rows);
  ValueId pack{};
  for (const OpId id : g.ops()) {
    if (g.op(id).def->name == "pack") pack = g.result(id);
  }
  const WeightPacker packer(g, {pack}, source, not_finite);
  Packed out;
  out.bytes.resize(static_cast<size_t>(packed_bytes(attr_string(*g.def_op(pack), "layout"), g.type(pack))));
  out.errors.resize(static_cast<size_t>(packer.rows(0)));
  packer.pack(0, 0, out.bytes, out.errors);
  return out;
}

TEST(Packing, copies_the_bits_of_bf16_weights) {
  std::vector<float> x(16 * 32);
  for (size_t i = 0; i < x.size(); ++i) x[i] = bf16_to_f32(static_cast<uint16_t>(0x3f80 + i));
  const Stored source(DType::bf16, x);
  const Packed packed = pack_linear("bf16", "slice(@w) {start=0, size=16}", source, NotFinite::refuse);
  EXPECT_EQ(source.reads, 0) << "widened, to be narrowed again";
  std::vector<float> got(x.size());
  unpack(eight_rows(DType::bf16).name(), {DType::bf16, {16, 32}}, packed.bytes.data(), 0, got);
  EXPECT_EQ(got, x);
}

std::string refusal(const std::string& expression, float odd) {
  std::vector<float> x(16 * 32, 0.5F);
  x[3 * 32 + 7] = odd;
  try {
    pack_linear("f32", expression, Stored(DType::f32, x), NotFinite::refuse);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Packing, refuses_weights_that_are_no_numbers_by_tensor_and_element) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const std::string expression :
       {"slice(@w) {start=0, size=16}", "quantize(@w)", "quantize(@w) {format=q4_0}",
        "quantize(@w) {format=q4_k}", "quantize(@w) {format=iq4_nl}",
        "quantize(slice(@w) {start=2, size=8})"}) {
    EXPECT_NE(refusal(expression, nan).find("tensor 'w', element 103 (row 3, column 7), is not a number"),
              std::string::npos)
        << expression << ": " << refusal(expression, nan);
    EXPECT_NE(refusal(expression, -inf).find("is infinite"), std::string::npos) << expression;
    EXPECT_EQ(refusal(expression, 1.0F), "");
  }
}

TEST(Packing, counts_what_is_no_number_and_measures_the_rest) {
  std::vector<float> x(16 * 32);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) / 16;
  x[3 * 32 + 7] = std::numeric_limits<float>::quiet_NaN();
  const Packed packed = pack_linear("f32", "quantize(@w)", Stored(DType::f32, x), NotFinite::keep);
  PackError sum;
  for (const PackError& e : packed.errors) sum += e;
  EXPECT_EQ(sum.not_finite, 32) << "its block";
  EXPECT_TRUE(std::isfinite(sum.signal) && sum.noise > 0 && sum.noise < sum.signal / 1000);
  std::vector<float> got(x.size());
  unpack(eight_rows(DType::q8_0).name(), {DType::q8_0, {16, 32}}, packed.bytes.data(), 0, got);
  EXPECT_TRUE(std::isnan(got[3 * 32 + 7]));
}

TEST(Packing, adds_layouts_for_what_groups_within_groups_read) {
  Graph g = parse_graph(
      "graph @g (%x: f32[T,32]) {\n  weight @w : bf16[16,32]\n  %y = linear(%x, @w)\n  return %y\n}\n");
  ASSERT_TRUE(add_packing(g, eight_rows));
  EXPECT_FALSE(add_packing(g, eight_rows));
}

}  // namespace
}  // namespace lmc
