// IQ4_XS: 256 numbers in 8 parts of the grid of IQ4_NL, each times d * (scale - 32): f16 d, 2 bytes of the
// scales' upper pairs of bits, 4 of their lower halves, 128 of places. As IQ4_NL d * (scale - 32) is rounded
// to f16.
#include "ir/block_formats/four_bit_grid.h"
#include "models/gguf/formats/block_bytes.h"
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

void as_iq4_nl(const std::byte* b, std::byte* out) {
  for (int part = 0; part < 8; ++part, out += kIq4Bytes) {
    const uint16_t scale = scale_bits(part_scale(b, part));
    std::memcpy(out, &scale, 2);
    std::memcpy(out + 2, b + 8 + part * 16, 16);
  }
}

const RegisterGgufFormat kFormat({23, "IQ4_XS", 256, 136, DType::f32, decode_all<decode, 256, 136>,
                                  convert_all<as_iq4_nl, 256, 136, kIq4Bytes>, "iq4_nl"});

}  // namespace
}  // namespace lmc::gguf::iq4_xs
