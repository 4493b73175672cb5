// MXFP4 (OCP Microscaling): a power of two, 16 bytes of numbers with one bit of sign, two of exponent and one
// of mantissa. They are kept doubled here, and the power halved, so that they are whole. Q8_0 holds the same
// numbers where f16 has the power; eight times the numbers and an eighth of it reach further up.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::mxfp4 {
namespace {

constexpr int kNumbers[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

int exponent(const std::byte* b) { return byte_at(b, 0) - 128; }
int number(const std::byte* b, int i) { return kNumbers[nibble(b + 1, i)]; }

void decode(const std::byte* b, float* out) {
  const float d = std::ldexp(1.0F, exponent(b));
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(number(b, i)) * d;
}

void as_q8_0(const std::byte* b, std::byte* out) {
  const int more = std::clamp(exponent(b) - 15, 0, 3);
  const uint16_t d = scale_bits(std::ldexp(1.0F, exponent(b) - more));
  put_q8_0(out, d, [&](int i) { return number(b, i) * (1 << more); });
}

const RegisterGgufFormat kFormat({39, "MXFP4", 32, 17, DType::f32, decode_all<decode, 32, 17>,
                                  convert_all<as_q8_0, 32, 17>});

}  // namespace
}  // namespace lmc::gguf::mxfp4
