// Q3_K: 256 numbers in 16 parts, each d * (scale - 32) * q, q from -4 to 3: 32 bytes of third bits, 64 of the
// lower two, 12 of 6-bit scales, f16 d. scale * q fits into 8 bits, so that Q8_0 holds the same numbers.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::q3_k {
namespace {

constexpr int kScales = 96;
constexpr int kD = 108;

// Eight bytes hold the lower halves of two scales each, four the upper pairs of bits of four.
int scale(const std::byte* b, int part) {
  const int low = byte_at(b, kScales + part % 8) >> (part / 8 * 4) & 15;
  const int high = byte_at(b, kScales + 8 + part % 4) >> (part / 4 * 2) & 3;
  return (low | high << 4) - 32;
}

int number(const std::byte* b, int n) {
  const int low = byte_at(b, 32 + n / 128 * 32 + n % 32) >> (n % 128 / 32 * 2) & 3;
  const int high = byte_at(b, n % 32) >> (n / 32) & 1;
  return (low | high << 2) - 4;
}

void decode(const std::byte* b, float* out) {
  const float d = half(b + kD);
  for (int n = 0; n < 256; ++n)
    out[n] = d * static_cast<float>(scale(b, n / 16)) * static_cast<float>(number(b, n));
}

void as_q8_0(const std::byte* b, std::byte* out) {
  const auto d = load<uint16_t>(b + kD);
  for (int block = 0; block < 8; ++block) {
    const auto product = [&](int i) { return scale(b, block * 2 + i / 16) * number(b, block * 32 + i); };
    // -32 * -4 alone is too large for 8 bits: then all of them, and d, change their signs.
    bool fits = true;
    for (int i = 0; i < 32; ++i) fits &= product(i) <= 127;
    const auto flipped = static_cast<uint16_t>(d ^ 0x8000U);
    put_q8_0(out + block * 34, fits ? d : flipped, [&](int i) { return fits ? product(i) : -product(i); });
  }
}

const RegisterGgufFormat kFormat({11, "Q3_K", 256, 110, DType::f32, decode_all<decode, 256, 110>,
                                  convert_all<as_q8_0, 256, 110>});

}  // namespace
}  // namespace lmc::gguf::q3_k
