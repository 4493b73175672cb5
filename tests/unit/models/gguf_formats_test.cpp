// Every quantised format that is read, bit for bit as llama.cpp reads it: tests/data/gguf_blocks.gguf has
// random blocks and the numbers it makes of them (tools/scripts/gguf-vectors).
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "ir/block_format.h"
#include "models/gguf/gguf.h"
#include "models/gguf/gguf_weights.h"
#include "tests/unit/models/gguf_bytes.h"

namespace lmc {
namespace {

const std::string kFormats[] = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0",   "Q2_K",   "Q3_K",
                                "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ4_NL", "IQ4_XS", "MXFP4"};

class GgufFormats : public ::testing::TestWithParam<std::string> {
 protected:
  static const GgufFile& file() {
    static const GgufFile f(std::string(LMC_SOURCE_DIR) + "/tests/data/gguf_blocks.gguf");
    return f;
  }
  static std::vector<float> read(const std::string& name) {
    const GgufFile::Tensor& t = file().tensors().at(name);
    std::vector<float> out(static_cast<size_t>(t.columns()));
    file().read_row(t, 0, 0, out);
    return out;
  }
};

TEST_P(GgufFormats, are_read_bit_for_bit) {
  ASSERT_EQ(file().tensors().at(GetParam()).format->name, GetParam());
  const std::vector<float> got = read(GetParam());
  const std::vector<float> want = read(GetParam() + ".f32");
  ASSERT_GE(got.size(), size_t{1024});
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(std::memcmp(&got[i], &want[i], 4), 0) << i << ": " << got[i] << ", not " << want[i];
}

// What kernels have no code for becomes the nearest that they have: the same numbers where that holds them.
TEST_P(GgufFormats, become_the_nearest_format_with_kernels) {
  const GgufFormat& format = gguf_format(GetParam());
  const std::vector<float> exact = read(GetParam());
  const BlockFormat& nearest = block_format(nearest_kernel_format(format).value());
  if (quantised_as(format)) {
    EXPECT_EQ(nearest.gguf, GetParam());
    return;
  }
  EXPECT_EQ(nearest.gguf, GetParam() == "IQ4_XS" ? "IQ4_NL" : "Q8_0");
  const auto n = static_cast<int64_t>(exact.size());
  std::vector<std::byte> blocks(static_cast<size_t>(nearest.row_bytes(n)));
  std::vector<float> x(exact.size());
  if (!format.as_nearest) return;
  const auto row = file().row(file().tensors().at(GetParam()), 0);
  format.as_nearest(row.data(), n / format.elements, blocks.data());
  decode_row(nearest, blocks.data(), n, x.data());
  const bool rounds = GetParam() == "IQ4_XS" || GetParam() == "Q8_K";  // a scale, to f16
  for (size_t i = 0; i < x.size(); ++i) {
    // Powers that f16 has, with numbers up to 12 * 8.
    if (GetParam() == "MXFP4" && (i / 32 < 104 || i / 32 > 146)) continue;
    // f16 is this exact from its smallest normal number to its largest.
    const float d = std::fabs(exact[i]);
    if (rounds && !(d > 127 * 6.2e-5F && d < 65504.0F)) continue;
    ASSERT_NEAR(x[i], exact[i], rounds ? d / 2048 : 0) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GgufFormats, ::testing::ValuesIn(kFormats));

// -32 * -4 does not fit into 8 bits.
TEST(GgufQ3K, becomes_q8_0_whatever_its_scales_are) {
  std::vector<std::byte> block(110);  // all scales -32, all numbers -4
  const uint16_t d = f32_to_f16(0.5F);
  std::memcpy(block.data() + 108, &d, 2);
  std::vector<std::byte> q8(34 * 8);
  std::vector<float> exact(256);
  std::vector<float> x(256);
  gguf_format("Q3_K").decode(block.data(), 1, exact.data());
  gguf_format("Q3_K").as_nearest(block.data(), 1, q8.data());
  decode_row(block_format(DType::q8_0), q8.data(), 256, x.data());
  EXPECT_EQ(exact[0], 64);
  EXPECT_EQ(x, exact);
}

// Written where a format's blocks of 256 do not fit.
TEST(GgufQ5_0, holds_32_steps_exactly) {
  std::vector<float> x(64);
  for (size_t i = 0; i < 32; ++i) x[i] = static_cast<float>(static_cast<int>(i) - 16) * -0.25F;
  x[40] = INFINITY;
  std::vector<std::byte> blocks(44);
  std::vector<float> got(64);
  block_format(*dtype_from_name("q5_0")).encode(x.data(), 2, blocks.data());
  gguf_format("Q5_0").decode(blocks.data(), 2, got.data());
  for (size_t i = 0; i < 32; ++i) EXPECT_EQ(got[i], x[i]);
  EXPECT_TRUE(std::isnan(got[32]));
}

// Numbers of 512 columns of a stack of matrices, whatever their format.
TEST(GgufWeights, other_formats_are_given_as_blocks_of_the_nearest_one) {
  const std::string bytes(static_cast<size_t>(4) * 110, '\x5a');
  const auto file = std::make_shared<const GgufFile>(
      GgufBytes().header(1, 0).tensor("t", {512, 2}, 11, 0).pad().data(bytes).file("q3_k.gguf"));
  GgufWeights w(file);
  w.add("t", "t", {});
  EXPECT_EQ(w.type("t")->str(), "f32[2,512]");
  EXPECT_EQ(w.stored_format("t")->format, DType::q8_0);
  EXPECT_EQ(w.stored_format("t")->from, "Q3_K");
  std::vector<float> exact(512);
  std::vector<float> x(512);
  std::vector<std::byte> blocks(34 * 16);
  w.read("t", 512, exact);
  ASSERT_TRUE(w.read_blocks("t", false, DType::q8_0, 1, 1, blocks));
  decode_row(block_format(DType::q8_0), blocks.data(), 512, x.data());
  EXPECT_EQ(x, exact);
  EXPECT_NE(x[0], 0);
  EXPECT_FALSE(w.read_blocks("t", false, *dtype_from_name("q4_k"), 1, 1, blocks));
}

}  // namespace
}  // namespace lmc
