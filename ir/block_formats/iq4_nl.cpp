// IQ4_NL: an f16 scale d and 16 bytes: their low halves are places in the grid of four_bit_grid.h for numbers
// 0 to 15, the high ones for 16 to 31, each d * grid[place]. The scale is the one of least squared error
// among some near the largest number / -127 and / 113, each with the numbers rounded to its grid: d = sum(x
// g) / sum(g g), both by importance.
#include <array>

#include "ir/block_format.h"
#include "ir/block_formats/four_bit_grid.h"
#include "ir/block_formats/lanes.h"

namespace lmc::formats::iq4_nl {
namespace {

constexpr int kTries = 7;         // on either side of largest / -127, and of largest / 113 …
constexpr float kTryStep = 2.0F;  // … apart, of the grid's steps

// Of neighbours in the grid what is between them, and by how much they differ.
struct Steps {
  std::array<float, 15> middle, up;
};
constexpr Steps kSteps = [] {
  Steps out{};
  for (size_t i = 0; i < 15; ++i) {
    const float low = kFourBitGrid[i], high = kFourBitGrid[i + 1];
    out.middle[i] = (low + high) / 2;
    out.up[i] = high - low;
  }
  return out;
}();

// v to the nearest number of the grid; the lower one of two, and NaN to the lowest.
[[gnu::always_inline]] inline void round_to_grid(F8& v) {
  F8 out = F8{} + static_cast<float>(kFourBitGrid[0]);
  for (size_t i = 0; i < 15; ++i) out += v > kSteps.middle[i] ? F8{} + kSteps.up[i] : F8{};
  v = out;
}

// The places of what v is rounded to.
[[gnu::always_inline]] inline void find_places(const F8& v, int32_t* out) {
  I8 place = {};
  for (const float middle : kSteps.middle) place -= v > middle;  // -1 where it is
  std::memcpy(out, &place, sizeof place);
}

// Its sign too.
float largest(const float* x) {
  float most = 0;
  for (size_t i = 0; i < 32; ++i) {
    if (x[i] * x[i] > most * most) most = x[i];
  }
  return most;
}

// The largest number may be at either end of the grid, which is longer below.
[[gnu::always_inline]] inline float best_scale(const Lanes& x, const Lanes& importance, float most) {
  float best = 0;
  float scale = most / -127.0F;
  for (const float end : {-127.0F, 113.0F}) {
    for (int i = -kTries; i <= kTries; ++i) {
      const float inverse = (end + kTryStep * static_cast<float>(i)) / most;
      F8 with_x = {};
      F8 squares = {};
      for (size_t part = 0; part < Lanes::kParts; ++part) {
        F8 g = x.part[part] * inverse;
        round_to_grid(g);
        const F8 counted = importance.part[part] * g;
        with_x += x.part[part] * counted;
        squares += counted * g;
      }
      const float xg = sum(with_x);
      const float gg = sum(squares);
      if (xg * xg > best * gg) {
        best = xg * xg / gg;
        scale = xg / gg;
      }
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
  int32_t place[32];
  for (size_t i = 0; i < Lanes::kParts; ++i) find_places(x.part[i] * inverse, place + i * 8);
  for (size_t i = 0; i < 16; ++i) out[2 + i] = static_cast<std::byte>(place[i] | place[i + 16] << 4);
}

void decode(const std::byte* block, float* out) {
  uint16_t scale;
  std::memcpy(&scale, block, 2);
  const float d = f16_to_f32(scale);
  for (size_t i = 0; i < 16; ++i) {
    const auto both = std::to_integer<size_t>(block[2 + i]);
    out[i] = static_cast<float>(kFourBitGrid[both & 15]) * d;
    out[i + 16] = static_cast<float>(kFourBitGrid[both >> 4]) * d;
  }
}

const RegisterBlockFormat kFormat({"iq4_nl", 32, 18, "IQ4_NL", 20, 25, 21.5, decode_blocks<decode, 32, 18>,
                                   encode_alike<encode_lanes, 32, 18>, nullptr, false,
                                   encode_by<encode_lanes, 32, 18>});

}  // namespace
}  // namespace lmc::formats::iq4_nl
