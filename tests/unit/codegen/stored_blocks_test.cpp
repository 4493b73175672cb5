// Blocks of any quantised format of a checkpoint go into a bundle as they are.
#include <gtest/gtest.h>

#include <random>

#include "codegen/layout.h"
#include "eight_rows.h"
#include "ir/block_format.h"
#include "ir/op_def.h"
#include "ir/text.h"

namespace lmc {
namespace {

constexpr int64_t kColumns = 512;

DType format(const char* name) { return *dtype_from_name(name); }
std::string layout_of(const std::string& name) { return eight_rows(format(name.c_str())).name(); }

// Matrices of any blocks whose numbers are no NaN.
class Blocks : public WeightSource {
 public:
  explicit Blocks(DType dtype) : format_(block_format(dtype)) {}

  std::vector<std::byte> row(const std::string& name, int64_t r) const {
    std::mt19937 random(static_cast<unsigned>(std::hash<std::string>()(name) + static_cast<size_t>(r)));
    std::vector<std::byte> out(static_cast<size_t>(format_.row_bytes(kColumns)));
    for (std::byte& b : out) b = static_cast<std::byte>(random());
    const bool minima = format_.dtype == format("q4_k") || format_.dtype == format("q5_k");
    const bool last = format_.dtype == format("q6_k");
    for (size_t i = 0; i < out.size(); i += static_cast<size_t>(format_.bytes)) {
      // The upper half of an f16 scale, in front of all or behind.
      out[last ? i + static_cast<size_t>(format_.bytes) - 1 : i + 1] = std::byte{0x20};
      if (minima) out[i + 3] = std::byte{0x24};
    }
    return out;
  }
  std::vector<float> numbers(const std::string& name, int64_t r) const {
    std::vector<float> out(kColumns);
    decode_row(format_, row(name, r).data(), kColumns, out.data());
    return out;
  }

  std::optional<Type> type(const std::string&) const override { return std::nullopt; }
  void read(const std::string&, int64_t, std::span<float>) const override {
    FAIL() << "numbers were asked for where blocks are there";
  }
  bool read_blocks(const std::string& name, bool transposed, DType format, int64_t first, int64_t rows,
                   std::span<std::byte> out) const override {
    if (transposed || format != format_.dtype) return false;
    std::byte* to = out.data();
    for (int64_t r = first; r < first + rows; ++r) {
      const auto blocks = row(name, r);
      to = std::copy(blocks.begin(), blocks.end(), to);
    }
    return true;
  }

 private:
  const BlockFormat& format_;
};

TEST(StoredBlocks, of_any_format_are_packed_as_they_are) {
  for (const DType dtype : {format("q8_0"), format("q4_0"), format("q4_k"), format("iq4_nl"), format("q5_0"),
                            format("q5_k"), format("q6_k")}) {
    const std::string name = dtype_name(dtype);
    Graph g = parse_graph(
        "graph @g (%x: f32[T,512]) {\n  weight @a : f32[11,512]\n  weight @b : f32[30,512]\n"
        "  %w = concat(@a, slice(@b) {axis=0, start=5, size=9}) {axis=0}\n  %wq = quantize(%w) {format=" +
        name + "}\n  %y = linear(quantize(%x), %wq)\n  return %y\n}\n");
    add_packing(g, eight_rows);
    ValueId pack{};
    for (const OpId id : g.ops()) {
      if (g.op(id).def->name == "pack") pack = g.result(id);
    }
    ASSERT_EQ(attr_string(*g.def_op(pack), "layout"), layout_of(name));
    const Blocks source(dtype);
    const std::vector<std::byte> bytes = WeightPacker(g, {pack}, source).pack(0);
    EXPECT_EQ(static_cast<int64_t>(bytes.size()), packed_bytes(layout_of(name), g.type(pack)));
    std::vector<float> got(20 * kColumns);
    unpack(layout_of(name), g.type(pack), bytes.data(), 0, got);
    for (int64_t r = 0; r < 20; ++r) {
      const std::vector<float> want = r < 11 ? source.numbers("a", r) : source.numbers("b", 5 + r - 11);
      const auto from = got.begin() + r * kColumns;
      EXPECT_EQ(std::vector<float>(from, from + kColumns), want) << name << ", row " << r;
    }
  }
}

TEST(StoredBlocks, of_experts_are_packed_as_they_are_also_where_gate_and_up_are_joined_in_each) {
  Graph g = parse_graph(
      "graph @g (%x: f32[T,512], %ids: i32[T,2]) {\n  weight @a0 : f32[5,512]\n  weight @a1 : f32[5,512]\n"
      "  weight @b0 : f32[12,512]\n  weight @b1 : f32[12,512]\n"
      "  %w = concat(stack(@a0, @a1), stack(@b0, @b1)) {axis=1}\n  %wq = quantize(%w) {format=q4_k}\n"
      "  %y = linear_experts(quantize(%x), %wq, %ids)\n  return %y\n}\n");
  add_packing(g, eight_rows);
  ValueId pack{};
  for (const OpId id : g.ops()) {
    if (g.op(id).def->name == "pack") pack = g.result(id);
  }
  const Blocks source(format("q4_k"));
  const std::vector<std::byte> bytes = WeightPacker(g, {pack}, source).pack(0);
  std::vector<float> got(34 * kColumns);
  unpack(layout_of("q4_k"), g.type(pack), bytes.data(), 0, got);
  for (int64_t expert = 0; expert < 2; ++expert) {
    for (int64_t r = 0; r < 17; ++r) {
      const std::string number = std::to_string(expert);
      const std::vector<float> want =
          r < 5 ? source.numbers("a" + number, r) : source.numbers("b" + number, r - 5);
      const auto from = got.begin() + (expert * 17 + r) * kColumns;
      EXPECT_EQ(std::vector<float>(from, from + kColumns), want) << "expert " << expert << ", row " << r;
    }
  }
}

}  // namespace
}  // namespace lmc
