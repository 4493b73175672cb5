// IQ4_XS: 256 numbers in 8 parts of the grid of IQ4_NL, each times d * (scale - 32): f16 d, 2 bytes of the
// scales' upper pairs of bits, 4 of their lower halves, 128 of places. In Q8_0 d * (scale - 32) is rounded to
// f16.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/formats/four_bit_grid.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::iq4_xs {
namespace {

float part_scale(const std::byte* b, int part) {
  const int low = byte_at(b, 4 + part / 2) >> (part % 2 * 4) & 15;
  const int high = load<uint16_t>(b + 2) >> (part * 2) & 3;
  return half(b) * static_cast<float>((low | high << 4) - 32);
}

int number(const std::byte* b, int part, int i) { return kFourBitGrid[nibble(b + 8 + part * 16, i)]; }

void decode(const std::byte* b, float* out) {
  for (int part = 0; part < 8; ++part) {
    const float scale = part_scale(b, part);
    for (int i = 0; i < 32; ++i) *out++ = scale * static_cast<float>(number(b, part, i));
  }
}

void as_q8_0(const std::byte* b, std::byte* out) {
  for (int part = 0; part < 8; ++part)
    put_q8_0(out + part * 34, scale_bits(part_scale(b, part)), [&](int i) { return number(b, part, i); });
}

const RegisterGgufFormat kFormat({23, "IQ4_XS", 256, 136, DType::f32, decode_all<decode, 256, 136>,
                                  convert_all<as_q8_0, 256, 136>});

}  // namespace
}  // namespace lmc::gguf::iq4_xs
