// Q6_K: the scale of each part of 16 is the one of least squared error among some (best_scale.h); their own
// scale makes the largest of the block's 16 -128 of it.
#include "ir/block_formats/q6_k.h"

#include <algorithm>
#include <cmath>

#include "ir/block_format.h"
#include "ir/block_formats/best_scale.h"
#include "ir/error_feedback.h"

namespace lmc {
namespace formats::q6_k {
namespace {

constexpr int64_t kBytes = 210;
constexpr size_t kPart = Q6KBlock::kPart;
using Part = LanesOf<kPart / 8>;

struct Whole {
  static constexpr float kEnds[] = {-32};
  static constexpr int kTries = 8;
  static constexpr float kTryStep = -0.1F;
  [[gnu::always_inline]] static inline void round(F8& v) { round_within(v, -32, 31); }
};

[[gnu::always_inline]] inline void encode_lanes(const float* x, const float* importance, std::byte* out) {
  std::array<float, Q6KBlock::kParts> scales;
  bool finite = true;
  for (size_t part = 0; part < scales.size(); ++part) {
    const float* numbers = x + part * kPart;
    const Part lanes(numbers);
    finite &= all_finite(lanes);
    const float most = largest(numbers, kPart);
    scales[part] = most != 0 ? best_scale<Whole>(lanes, Part(importance + part * kPart), most) : 0.0F;
  }
  Q6KBlock block;
  block.d = finite ? to_scale(largest(scales.data(), scales.size()) / -128.0F) : kNotANumber;
  if (!finite) return block.store(out);
  const float d = f16_to_f32(block.d);
  for (size_t part = 0; part < scales.size(); ++part) {
    const float steps = d != 0 ? std::nearbyint(scales[part] / d) : 0.0F;
    block.scale[part] = static_cast<int8_t>(std::clamp(steps, -128.0F, 127.0F));
    const float scale = d * static_cast<float>(block.scale[part]);
    const float inverse = scale != 0 ? 1.0F / scale : 0.0F;
    const Part lanes(x + part * kPart);
    for (size_t i = 0; i < Part::kParts; ++i) {
      F8 q = lanes.part[i] * inverse;
      Whole::round(q);
      for (size_t l = 0; l < 8; ++l) block.q[part][i * 8 + l] = static_cast<uint8_t>(q[l] + 32);
    }
  }
  block.store(out);
}

void decode(const std::byte* bytes, float* out) {
  const Q6KBlock block = Q6KBlock::load(bytes);
  const float d = f16_to_f32(block.d);
  for (size_t part = 0; part < Q6KBlock::kParts; ++part) {
    const float scale = d * static_cast<float>(block.scale[part]);
    for (const uint8_t q : block.q[part]) *out++ = scale * static_cast<float>(q - 32);
  }
}

// Where number n's bits are: a byte of the lower ones, a byte of the upper ones, and how far they are up.
struct Place {
  size_t low, high;
  int low_shift, high_shift;

  explicit Place(size_t n) {
    const size_t side = n / 128, run = n % 128 / 32, i = n % 32;
    low = side * 64 + run % 2 * 32 + i;
    high = 128 + side * 32 + i;
    low_shift = run < 2 ? 0 : 4;
    high_shift = static_cast<int>(run) * 2;
  }
};

constexpr size_t kScalesAt = 192, kDAt = 208;

float round_at(std::byte* block, int64_t i, float x) {
  const Place at(static_cast<size_t>(i));
  uint16_t half;
  std::memcpy(&half, block + kDAt, 2);
  const auto steps = static_cast<int8_t>(block[kScalesAt + static_cast<size_t>(i) / kPart]);
  const float scale = f16_to_f32(half) * static_cast<float>(steps);
  const int q = static_cast<int>(std::clamp(std::nearbyint(scale != 0 ? x / scale : 0.0F), -32.0F, 31.0F));
  const auto put = [](std::byte& byte, int mask, int shift, int bits) {
    byte = (byte & ~static_cast<std::byte>(mask << shift)) | static_cast<std::byte>(bits << shift);
  };
  put(block[at.low], 15, at.low_shift, (q + 32) & 15);
  put(block[at.high], 3, at.high_shift, (q + 32) >> 4);
  return scale * static_cast<float>(q);
}

const RegisterRounding kRounding("q6_k", round_at);

// Layouts leave out the parts behind the last 32 columns.
int64_t packed_row_bytes(int64_t columns) {
  const int64_t blocks = (columns + 31) / 32;
  return blocks * 26 + (blocks + 7) / 8 * 2;
}

const RegisterBlockFormat kFormat({"q6_k", 256, kBytes, "Q6_K", 14, 18, 35,
                                   decode_blocks<decode, 256, kBytes>,
                                   encode_alike<encode_lanes, 256, kBytes>, packed_row_bytes, false,
                                   encode_by<encode_lanes, 256, kBytes>});

}  // namespace
}  // namespace formats::q6_k

Q6KBlock Q6KBlock::load(const std::byte* block) {
  using namespace formats::q6_k;
  Q6KBlock out;
  std::memcpy(&out.d, block + kDAt, 2);
  std::memcpy(out.scale.data(), block + kScalesAt, kParts);
  for (size_t n = 0; n < kParts * kPart; ++n) {
    const Place at(n);
    const int low = std::to_integer<int>(block[at.low]) >> at.low_shift & 15;
    const int high = std::to_integer<int>(block[at.high]) >> at.high_shift & 3;
    out.q[n / kPart][n % kPart] = static_cast<uint8_t>(low | high << 4);
  }
  return out;
}

void Q6KBlock::store(std::byte* block) const {
  using namespace formats::q6_k;
  std::fill_n(block, kScalesAt, std::byte{0});
  std::memcpy(block + kScalesAt, scale.data(), kParts);
  std::memcpy(block + kDAt, &d, 2);
  for (size_t n = 0; n < kParts * kPart; ++n) {
    const Place at(n);
    const int number = q[n / kPart][n % kPart];
    block[at.low] |= static_cast<std::byte>((number & 15) << at.low_shift);
    block[at.high] |= static_cast<std::byte>((number >> 4) << at.high_shift);
  }
}

}  // namespace lmc
