// Quantised formats: what is written can be read, errors are small, and nothing a checkpoint may hold breaks
// them.
#include "ir/block_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "ir/block_formats/block_with_minima.h"
#include "ir/block_formats/q6_k.h"
#include "ir/error.h"

namespace lmc {
namespace {

DType format(const char* name) { return *dtype_from_name(name); }

std::vector<const BlockFormat*> quantised_formats() {
  std::vector<const BlockFormat*> out = block_formats();
  std::erase_if(out, [](const BlockFormat* f) { return !is_quantised(f->dtype); });
  return out;
}

std::vector<float> normal_numbers(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> x(n);
  for (float& f : x) f = normal(random);
  return x;
}

std::vector<float> rounded(const BlockFormat& f, const std::vector<float>& x,
                           const std::vector<float>& importance = {}) {
  const auto n = static_cast<int64_t>(x.size());
  std::vector<std::byte> blocks(static_cast<size_t>(f.row_bytes(n)));
  encode_row(f, x.data(), n, blocks.data(), importance.empty() ? nullptr : importance.data());
  std::vector<float> y(x.size());
  decode_row(f, blocks.data(), n, y.data());
  return y;
}

double squared_error(const std::vector<float>& x, const std::vector<float>& y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

double decibels(const std::vector<float>& x, const std::vector<float>& y) {
  return 10 * std::log10(squared_error(x, std::vector<float>(x.size())) / squared_error(x, y));
}

// Q4_0 as simple as can be: the largest number over -8.
std::vector<float> plain_q4(const std::vector<float>& x) {
  std::vector<float> y;
  for (size_t first = 0; first < x.size(); first += 32) {
    float most = 0;
    for (size_t i = first; i < first + 32; ++i) most = std::fabs(x[i]) > std::fabs(most) ? x[i] : most;
    const float d = f16_to_f32(f32_to_f16(most / -8));
    for (size_t i = first; i < first + 32; ++i)
      y.push_back(d == 0 ? 0 : std::fmin(std::fmax(std::round(x[i] / d), -8.0F), 7.0F) * d);
  }
  return y;
}

TEST(BlockFormat, rounds_normal_numbers_as_well_as_its_bits_allow) {
  const std::vector<float> x = normal_numbers(256 * 64, 1);
  EXPECT_GT(decibels(x, rounded(block_format(DType::q8_0), x)), 43);
  EXPECT_GT(decibels(x, rounded(block_format(format("q4_0")), x)), 19.5);
  EXPECT_GT(decibels(x, rounded(block_format(format("q4_k")), x)), 21.5);
  EXPECT_GT(decibels(x, rounded(block_format(format("q5_0")), x)), 27.5);
  EXPECT_GT(decibels(x, rounded(block_format(format("q5_k")), x)), 28.5);
  EXPECT_GT(decibels(x, rounded(block_format(format("q6_k")), x)), 35);
  EXPECT_LT(squared_error(x, rounded(block_format(format("q4_0")), x)), 0.9 * squared_error(x, plain_q4(x)));
}

// What is said of formats puts them into the order that numbers do.
TEST(BlockFormat, says_how_precise_it_is) {
  const std::vector<float> x = normal_numbers(256 * 64, 2);
  for (const BlockFormat* f : quantised_formats())
    EXPECT_NEAR(decibels(x, rounded(*f, x)), f->decibels, 1.5) << f->name;
}

TEST(BlockFormat, keeps_zeros_and_constants) {
  for (const BlockFormat* f : quantised_formats()) {
    for (const float c : {0.0F, 1.5F, -0.25F}) {
      const std::vector<float> x(300, c);
      for (const float y : rounded(*f, x)) EXPECT_NEAR(y, c, 0.01 * std::fabs(c)) << f->name;
    }
  }
}

TEST(BlockFormat, pads_the_last_block_of_a_row) {
  for (const BlockFormat* each : quantised_formats()) {
    const BlockFormat& f = *each;
    for (const size_t n : {size_t{1}, size_t{31}, size_t{33}, size_t{255}, size_t{300}}) {
      const std::vector<float> x = normal_numbers(n, 7);
      std::vector<float> padded = x;
      padded.resize(static_cast<size_t>(f.blocks(static_cast<int64_t>(n)) * f.values));
      std::vector<float> want = rounded(f, padded);
      want.resize(n);
      EXPECT_EQ(rounded(f, x), want) << f.name << " " << n;
    }
  }
}

TEST(BlockFormat, counts_errors_by_importance) {
  constexpr size_t kCount = 256 * 64 + 40;
  const std::vector<float> x = normal_numbers(kCount, 5);
  std::vector<float> importance;
  for (const float f : normal_numbers(kCount, 6)) importance.push_back(std::exp(100 * f));  // sigma 2
  const auto error = [&](const std::vector<float>& y) {
    double sum = 0;
    for (size_t i = 0; i < kCount; ++i) sum += importance[i] * (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
  };
  size_t formats = 0;
  for (const BlockFormat* f : block_formats()) {
    if (!f->encode_by) continue;
    ++formats;
    EXPECT_LT(error(rounded(*f, x, importance)), 0.9 * error(rounded(*f, x))) << f->name;
    const std::vector<float> whole(x.begin(), x.begin() + 256 * 64);
    for (const float same : {0.0F, 1.0F, 4.0F})
      EXPECT_EQ(rounded(*f, whole, std::vector<float>(whole.size(), same)), rounded(*f, whole)) << f->name;
  }
  EXPECT_EQ(formats, 6U);
}

TEST(BlockFormat, survives_any_number) {
  const float huge = std::numeric_limits<float>::max();
  for (const BlockFormat* f : quantised_formats()) {
    for (const float odd :
         {huge, -huge, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(),
          std::numeric_limits<float>::denorm_min()}) {
      std::vector<float> x = normal_numbers(256, 3);
      x[5] = odd;
      x[40] = -odd;
      EXPECT_EQ(rounded(*f, x).size(), x.size()) << f->name;
    }
  }
}

TEST(BlockFormat, makes_nothing_finite_of_what_is_not) {
  for (const BlockFormat* f : block_formats()) {
    for (const float odd :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
          std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
      std::vector<float> x = normal_numbers(512, 3);
      x[37] = odd;
      const std::vector<float> y = rounded(*f, x);
      EXPECT_FALSE(std::isfinite(y[37])) << f->name << " " << odd;
      EXPECT_TRUE(std::isinf(odd) || std::isnan(y[37])) << f->name;
      EXPECT_EQ(std::count_if(y.begin(), y.end(), [](float v) { return !std::isfinite(v); }), f->values)
          << f->name;
    }
  }
}

TEST(BlockFormat, bf16_keeps_every_nan_and_rounds_to_infinity_only_what_is_beyond_it) {
  for (const uint32_t bits : {0x7f800001U, 0x7fffffffU, 0xffffffffU, 0xff800001U, 0x7fc00000U}) {
    float f;
    std::memcpy(&f, &bits, sizeof f);
    const uint16_t h = f32_to_bf16(f);
    EXPECT_TRUE(std::isnan(bf16_to_f32(h))) << std::hex << bits << " " << h;
    EXPECT_EQ(h >> 15, bits >> 31) << "its sign";
  }
  EXPECT_TRUE(std::isinf(bf16_to_f32(f32_to_bf16(std::numeric_limits<float>::max()))));
  EXPECT_EQ(f32_to_bf16(-0.0F), 0x8000);
}

TEST(BlockFormat, names_are_taken_once) {
  BlockFormat again = block_format(DType::q8_0);
  EXPECT_THROW(RegisterBlockFormat{again}, Error);
  again.name = "i32";
  EXPECT_THROW(RegisterBlockFormat{again}, Error);
  EXPECT_THROW(block_format(DType::i32), Error);
}

TEST(BlockFormat, blocks_of_256_are_read_and_written_alike) {
  std::mt19937 random(5);
  for (const size_t size : {size_t{144}, size_t{176}, size_t{210}}) {
    for (int i = 0; i < 100; ++i) {
      std::vector<std::byte> block(size);
      for (std::byte& b : block) b = static_cast<std::byte>(random());
      std::vector<std::byte> again(size);
      if (size == 210) {
        Q6KBlock::load(block.data()).store(again.data());
      } else {
        const int bits = size == 144 ? 4 : 5;
        BlockWithMinima::load(block.data(), bits).store(again.data(), bits);
      }
      EXPECT_EQ(block, again) << size;
    }
  }
}

// 18 and 144 bytes written out by hand, after the layout that ggml documents.
TEST(BlockFormat, reads_known_bytes) {
  std::vector<std::byte> q4(18);
  const uint16_t two = f32_to_f16(2.0F);
  std::memcpy(q4.data(), &two, 2);
  for (size_t i = 0; i < 16; ++i) q4[2 + i] = static_cast<std::byte>(i | (15 - i) << 4);
  float y[256];
  block_format(format("q4_0")).decode(q4.data(), 1, y);
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(y[i], 2.0F * static_cast<float>(i - 8));
    EXPECT_EQ(y[16 + i], 2.0F * static_cast<float>(7 - i));
  }
  std::vector<std::byte> q4k(144);
  std::memcpy(q4k.data(), &two, 2);
  std::memcpy(q4k.data() + 2, &two, 2);
  q4k[4] = std::byte{3};                // scale of part 0
  q4k[4 + 4] = std::byte{1};            // its minimum
  q4k[4 + 3] = std::byte{0x80};         // upper bits of part 7's scale: 2
  q4k[4 + 11] = std::byte{0x5a};        // part 7: lower bits 10 of the scale, 5 of the minimum
  q4k[16] = std::byte{0x04};            // number 0 of part 0 is 4
  q4k[16 + 96 + 31] = std::byte{0x90};  // number 31 of part 7 is 9
  block_format(format("q4_k")).decode(q4k.data(), 1, y);
  EXPECT_EQ(y[0], 2.0F * 3 * 4 - 2.0F * 1);
  EXPECT_EQ(y[255], 2.0F * (2 * 16 + 10) * 9 - 2.0F * 5);
}

}  // namespace
}  // namespace lmc
