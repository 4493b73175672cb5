// Q5_0: 32 whole numbers from -16 to 15 behind an f16 scale, four bytes of their fifth bits, 16 of the lower
// four: numbers 0 to 15 in the low halves, 16 to 31 in the high ones.
#include <cmath>

#include "ir/block_format.h"
#include "ir/block_formats/best_scale.h"
#include "ir/error_feedback.h"

namespace lmc::formats::q5_0 {
namespace {

constexpr int64_t kBytes = 22;

struct Whole {
  static constexpr float kEnds[] = {-16};
  static constexpr int kTries = 8;
  static constexpr float kTryStep = -0.1F;
  [[gnu::always_inline]] static inline void round(F8& v) { round_within(v, -16, 15); }
};

[[gnu::always_inline]] inline void encode_lanes(const float* numbers, const float* importance,
                                                std::byte* out) {
  const Lanes x(numbers);
  const float most = largest(numbers, 32);
  const bool finite = all_finite(x);
  const float found = most != 0 && finite ? best_scale<Whole>(x, Lanes(importance), most) : 0.0F;
  const uint16_t scale = finite ? to_scale(found) : kNotANumber;
  const float d = f16_to_f32(scale);
  const float inverse = d != 0 ? 1.0F / d : 0.0F;
  int32_t q[32];
  for (size_t i = 0; i < Lanes::kParts; ++i) {
    F8 rounded = x.part[i] * inverse;
    Whole::round(rounded);
    const I8 whole = __builtin_convertvector(rounded, I8) + 16;
    std::memcpy(q + i * 8, &whole, sizeof whole);
  }
  uint32_t fifths = 0;
  for (size_t i = 0; i < 32; ++i) fifths |= static_cast<uint32_t>(q[i] >> 4) << i;
  std::memcpy(out, &scale, 2);
  std::memcpy(out + 2, &fifths, 4);
  for (size_t i = 0; i < 16; ++i) out[6 + i] = static_cast<std::byte>((q[i] & 15) | (q[i + 16] & 15) << 4);
}

void decode(const std::byte* block, float* out) {
  uint16_t scale;
  uint32_t fifths;
  std::memcpy(&scale, block, 2);
  std::memcpy(&fifths, block + 2, 4);
  const float d = f16_to_f32(scale);
  for (size_t i = 0; i < 32; ++i) {
    const int both = std::to_integer<int>(block[6 + i % 16]);
    const int q = (i < 16 ? both & 15 : both >> 4) | static_cast<int>(fifths >> i & 1) << 4;
    out[i] = static_cast<float>(q - 16) * d;
  }
}

float round_at(std::byte* block, int64_t i, float x) {
  uint16_t scale;
  uint32_t fifths;
  std::memcpy(&scale, block, 2);
  std::memcpy(&fifths, block + 2, 4);
  const float d = f16_to_f32(scale);
  const int q = static_cast<int>(std::clamp(std::nearbyint(d != 0 ? x / d : 0.0F), -16.0F, 15.0F)) + 16;
  fifths = (fifths & ~(1U << i)) | static_cast<uint32_t>(q >> 4) << i;
  std::memcpy(block + 2, &fifths, 4);
  std::byte& both = block[6 + i % 16];
  both = i < 16 ? (both & std::byte{0xF0}) | static_cast<std::byte>(q & 15)
                : (both & std::byte{0x0F}) | static_cast<std::byte>((q & 15) << 4);
  return static_cast<float>(q - 16) * d;
}

const RegisterRounding kRounding("q5_0", round_at);
const RegisterBlockFormat kFormat({"q5_0", 32, kBytes, "Q5_0", 6, 8, 28, decode_blocks<decode, 32, kBytes>,
                                   encode_alike<encode_lanes, 32, kBytes>, nullptr, false,
                                   encode_by<encode_lanes, 32, kBytes>});

}  // namespace
}  // namespace lmc::formats::q5_0
