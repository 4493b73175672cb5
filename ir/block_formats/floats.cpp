// f32, f16 and bf16: every number a block of its own.
#include <cstring>

#include "ir/block_format.h"

namespace lmc::formats::floats {
namespace {

void decode_f32(const std::byte* x, int64_t count, float* out) {
  std::memcpy(out, x, static_cast<size_t>(count) * sizeof(float));
}

void encode_f32(const float* x, int64_t count, std::byte* out) {
  std::memcpy(out, x, static_cast<size_t>(count) * sizeof(float));
}

template <float (*widen)(uint16_t)>
void decode(const std::byte* x, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) {
    uint16_t h;
    std::memcpy(&h, x + 2 * i, sizeof h);
    out[i] = widen(h);
  }
}

template <uint16_t (*narrow)(float)>
void encode(const float* x, int64_t count, std::byte* out) {
  for (int64_t i = 0; i < count; ++i) {
    const uint16_t h = narrow(x[i]);
    std::memcpy(out + 2 * i, &h, sizeof h);
  }
}

// A mantissa of n bits leaves 6 n + 14 dB or so.
const RegisterBlockFormat kF32({"f32", 1, 4, "F32", 0, 0, 152, decode_f32, encode_f32});
const RegisterBlockFormat kF16({"f16", 1, 2, "F16", 1, 1, 74, decode<f16_to_f32>, encode<f32_to_f16>});
const RegisterBlockFormat kBf16({"bf16", 1, 2, "BF16", 30, 32, 56, decode<bf16_to_f32>, encode<f32_to_bf16>});

}  // namespace
}  // namespace lmc::formats::floats
