// Q8_0: 32 int8 behind one f16 scale. d = max|x| / 127 in f32, limited to f16's range and rounded to f16; q =
// x / d to the nearest integer.
#include <algorithm>

#include "ir/block_format.h"
#include "ir/block_formats/lanes.h"

namespace lmc::formats::q8_0 {
namespace {

using B8 = int8_t __attribute__((vector_size(8)));

[[gnu::always_inline]] inline void encode_lanes(const float* numbers, std::byte* out) {
  const Lanes x(numbers);
  F8 most = {};
  for (const F8& v : x.part) {
    const F8 a = v < 0 ? -v : v;
    most = a > most ? a : most;
  }
  float largest = 0;
  for (size_t l = 0; l < 8; ++l) largest = std::max(largest, most[l]);
  const uint16_t scale = all_finite(x) ? to_scale(largest / 127.0F) : kNotANumber;
  std::memcpy(out, &scale, 2);
  const float d = f16_to_f32(scale);
  const float inverse = d > 0 ? 1.0F / d : 0.0F;
  for (size_t i = 0; i < Lanes::kParts; ++i) {
    F8 q = x.part[i] * inverse;
    round_within(q, -127, 127);
    const B8 bytes = __builtin_convertvector(__builtin_convertvector(q, I8), B8);
    std::memcpy(out + 2 + i * 8, &bytes, sizeof bytes);
  }
}

void decode(const std::byte* block, float* out) {
  uint16_t scale;
  int8_t q[32];
  std::memcpy(&scale, block, 2);
  std::memcpy(q, block + 2, sizeof q);
  const float d = f16_to_f32(scale);
  for (size_t i = 0; i < 32; ++i) out[i] = static_cast<float>(q[i]) * d;
}

const RegisterBlockFormat kFormat({"q8_0", 32, 34, "Q8_0", 8, 7, 44, decode_blocks<decode, 32, 34>,
                                   encode_blocks<encode_lanes, 32, 34>});

}  // namespace
}  // namespace lmc::formats::q8_0
