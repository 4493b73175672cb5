// Q5_0: an f16 scale d, 32 fifth bits, 16 bytes of the lower four: d * (q - 16). Q8_0 holds the same numbers.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::q5_0 {
namespace {

int number(const std::byte* b, int i) {
  const int high = static_cast<int>(load<uint32_t>(b + 2) >> i & 1);
  return (nibble(b + 6, i) | high << 4) - 16;
}

void decode(const std::byte* b, float* out) {
  const float d = half(b);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(number(b, i)) * d;
}

void as_q8_0(const std::byte* b, std::byte* out) {
  put_q8_0(out, load<uint16_t>(b), [&](int i) { return number(b, i); });
}

// The number of largest magnitude, with its sign, becomes -16. A block that holds NaN or an infinity becomes
// one of NaN alone.
void encode_block(const float* x, std::byte* out) {
  const bool finite = std::all_of(x, x + 32, [](float f) { return std::isfinite(f); });
  const float most =
      *std::max_element(x, x + 32, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  const uint16_t scale = scale_bits(finite ? most / -16.0F : NAN);
  const float d = f16_to_f32(scale);
  const float inverse = finite && d != 0 ? 1.0F / d : 0.0F;
  int q[32] = {};
  uint32_t fifth = 0;
  for (int i = 0; finite && i < 32; ++i) {
    q[i] = static_cast<int>(std::clamp(std::nearbyint(x[i] * inverse), -16.0F, 15.0F)) + 16;
    fifth |= static_cast<uint32_t>(q[i] >> 4) << i;
  }
  std::memcpy(out, &scale, 2);
  std::memcpy(out + 2, &fifth, 4);
  for (int i = 0; i < 16; ++i) out[6 + i] = static_cast<std::byte>((q[i] & 15) | (q[i + 16] & 15) << 4);
}

void encode(const float* x, int64_t count, std::byte* out) {
  for (int64_t i = 0; i < count; ++i) encode_block(x + i * 32, out + i * 22);
}

const RegisterGgufFormat kFormat({6, "Q5_0", 32, 22, DType::f32, decode_all<decode, 32, 22>,
                                  convert_all<as_q8_0, 32, 22>, encode});

}  // namespace
}  // namespace lmc::gguf::q5_0
