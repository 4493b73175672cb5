// Q4_0: an f16 scale d and 16 bytes: their low halves are numbers 0 to 15, the high ones 16 to 31, each d *
// (q - 8). The scale is the one of least squared error among some near the largest number / -8, each with the
// numbers rounded to it: d = sum(x q) / sum(q q), both by importance.
#include "ir/block_format.h"
#include "ir/block_formats/lanes.h"

namespace lmc::formats::q4_0 {
namespace {

constexpr int kTries = 8;         // on either side of largest / -8 …
constexpr float kTryStep = 0.1F;  // … apart, of 8 steps

// Its sign too: the number of largest magnitude gets the longer end of -8 … 7.
float largest(const float* x) {
  float most = 0;
  for (size_t i = 0; i < 32; ++i) {
    if (x[i] * x[i] > most * most) most = x[i];
  }
  return most;
}

[[gnu::always_inline]] inline float best_scale(const Lanes& x, const Lanes& importance, float most) {
  float best = 0;
  float scale = most / -8.0F;
  for (int i = -kTries; i <= kTries; ++i) {
    const float inverse = -(8.0F + kTryStep * static_cast<float>(i)) / most;
    F8 with_x = {};
    F8 squares = {};
    for (size_t part = 0; part < Lanes::kParts; ++part) {
      F8 q = x.part[part] * inverse;
      round_within(q, -8, 7);
      const F8 counted = importance.part[part] * q;
      with_x += x.part[part] * counted;
      squares += counted * q;
    }
    const float xq = sum(with_x);
    const float qq = sum(squares);
    if (xq * xq > best * qq) {
      best = xq * xq / qq;
      scale = xq / qq;
    }
  }
  return scale;
}

[[gnu::always_inline]] inline void encode_lanes(const float* numbers, const float* importance,
                                                std::byte* out) {
  const Lanes x(numbers);
  const float most = largest(numbers);
  const uint16_t scale =
      all_finite(x) ? to_scale(most != 0 ? best_scale(x, Lanes(importance), most) : 0.0F) : kNotANumber;
  std::memcpy(out, &scale, 2);
  const float d = f16_to_f32(scale);
  const float inverse = d != 0 ? 1.0F / d : 0.0F;
  int32_t q[32];
  for (size_t i = 0; i < Lanes::kParts; ++i) {
    F8 rounded = x.part[i] * inverse;
    round_within(rounded, -8, 7);
    const I8 whole = __builtin_convertvector(rounded, I8) + 8;
    std::memcpy(q + i * 8, &whole, sizeof whole);
  }
  for (size_t i = 0; i < 16; ++i) out[2 + i] = static_cast<std::byte>(q[i] | q[i + 16] << 4);
}

void decode(const std::byte* block, float* out) {
  uint16_t scale;
  std::memcpy(&scale, block, 2);
  const float d = f16_to_f32(scale);
  for (size_t i = 0; i < 16; ++i) {
    const int both = std::to_integer<int>(block[2 + i]);
    out[i] = static_cast<float>((both & 15) - 8) * d;
    out[i + 16] = static_cast<float>((both >> 4) - 8) * d;
  }
}

const RegisterBlockFormat kFormat({"q4_0", 32, 18, "Q4_0", 2, 2, 20.5, decode_blocks<decode, 32, 18>,
                                   encode_alike<encode_lanes, 32, 18>, nullptr, false,
                                   encode_by<encode_lanes, 32, 18>});

}  // namespace
}  // namespace lmc::formats::q4_0
