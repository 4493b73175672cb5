// Q8_0 blocks of a checkpoint go into a bundle as they are, whatever expression over weights they pass.
#include <gtest/gtest.h>

#include <cstring>

#include "codegen/codegen.h"
#include "codegen/layout.h"
#include "eight_rows.h"
#include "ir/op_def.h"
#include "ir/text.h"

namespace lmc {
namespace {

constexpr int64_t kColumns = 64;
constexpr int64_t kBlocks = kColumns / 32;

// Matrices whose blocks no quantiser would make: -128 occurs, and the largest number is small for its scale.
// "@turned" is stored as its transpose; "@plain" is not quantised.
class BlockWeights : public WeightSource {
 public:
  static int8_t q(int64_t r, int64_t c) { return static_cast<int8_t>((r * 37 + c * 11) % 128 - 128); }
  static float scale(int64_t r, int64_t b) { return static_cast<float>(1 + r % 5 + b) / 64.0F; }

  std::optional<Type> type(const std::string&) const override { return std::nullopt; }
  void read(const std::string& name, int64_t first, std::span<float> out) const override {
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t at = first + static_cast<int64_t>(i);
      const bool turned = name == "turned";
      const int64_t r = turned ? at % 24 : at / kColumns;
      const int64_t c = turned ? at / 24 : at % kColumns;
      out[i] = static_cast<float>(q(r, c)) * scale(r, c / 32);
    }
  }
  bool read_blocks(const std::string& name, bool transposed, DType format, int64_t first, int64_t rows,
                   std::span<std::byte> out) const override {
    if (name == "plain" || format != DType::q8_0 || transposed != (name == "turned")) return false;
    std::byte* to = out.data();
    for (int64_t r = first; r < first + rows; ++r) {
      for (int64_t b = 0; b < kBlocks; ++b) {
        const uint16_t h = f32_to_f16(scale(r, b));
        std::memcpy(to, &h, 2);
        for (int64_t i = 0; i < 32; ++i) to[2 + i] = static_cast<std::byte>(q(r, b * 32 + i));
        to += 34;
      }
    }
    return true;
  }
};

// Packs the weight expression of the one linear of `weight`.
std::vector<float> packed(const std::string& expression, int64_t rows) {
  const std::string n = std::to_string(rows);
  Graph g = parse_graph(
      "graph @g (%x: f32[T,64]) {\n  weight @a : f32[24,64]\n  weight @b : f32[24,64]\n"
      "  weight @turned : f32[64,24]\n  weight @plain : f32[24,64]\n"
      "  %xq = quantize(%x)\n  %w = " +
          expression +
          "\n  %wq = quantize(%w)\n"
          "  %y = linear(%xq, %wq)\n  return %y\n}\n",
      "test");
  add_packing(g, eight_rows);
  ValueId pack{};
  for (const OpId id : g.ops()) {
    if (!g.is_erased(id) && g.op(id).def->name == "pack") pack = g.result(id);
  }
  const BlockWeights source;
  const WeightPacker packer(g, {pack}, source);
  const std::vector<std::byte> bytes = packer.pack(0);
  std::vector<float> out(static_cast<size_t>(rows * kColumns));
  unpack(eight_rows(DType::q8_0).name(), {DType::q8_0, {rows, kColumns}}, bytes.data(), 0, out);
  return out;
}

float stored(int64_t r, int64_t c) {
  return static_cast<float>(BlockWeights::q(r, c)) * f16_to_f32(f32_to_f16(BlockWeights::scale(r, c / 32)));
}

TEST(StoredBlocks, are_packed_as_they_are) {
  const struct {
    std::string expression;
    std::vector<int64_t> rows;  // of the source, in order
  } cases[] = {
      {"slice(@a) {axis=0, start=3, size=9}", {3, 4, 5, 6, 7, 8, 9, 10, 11}},
      {"concat(slice(@a) {axis=0, start=20, size=4}, slice(@b) {axis=0, start=1, size=5}) {axis=0}",
       {20, 21, 22, 23, 1, 2, 3, 4, 5}},
      {"slice(transpose(@turned)) {axis=0, start=8, size=3}", {8, 9, 10}},
  };
  for (const auto& c : cases) {
    const auto x = packed(c.expression, static_cast<int64_t>(c.rows.size()));
    for (size_t r = 0; r < c.rows.size(); ++r) {
      for (int64_t k = 0; k < kColumns; ++k)
        ASSERT_EQ(x[r * kColumns + static_cast<size_t>(k)], stored(c.rows[r], k))
            << c.expression << " " << r << " " << k;
    }
  }
}

TEST(StoredBlocks, stand_beside_rows_that_are_quantised) {
  const auto x = packed(
      "concat(slice(@plain) {axis=0, start=0, size=4}, slice(@a) {axis=0, start=0, size=4}) {axis=0}", 8);
  bool differs = false;
  for (size_t i = 0; i < 4 * kColumns; ++i) {
    const float exact = stored(static_cast<int64_t>(i) / kColumns, static_cast<int64_t>(i) % kColumns);
    EXPECT_NEAR(x[i], exact, 0.1);
    EXPECT_EQ(x[4 * kColumns + i], exact);
    differs |= x[i] != exact;
  }
  EXPECT_TRUE(differs) << "these blocks would not survive a quantiser, so the test would prove nothing";
}

}  // namespace
}  // namespace lmc
