// Q2_K: 256 numbers in 16 parts, each d * scale * q - dmin * min: 16 bytes of scales (low halves) and minima
// (high ones), 64 of numbers, f16 d and dmin.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::q2_k {
namespace {

void decode(const std::byte* b, float* out) {
  const float d = half(b + 80);
  const float dmin = half(b + 82);
  for (int n = 0; n < 256; ++n) {
    const int both = byte_at(b, n / 16);
    const int q = byte_at(b, 16 + n / 128 * 32 + n % 32) >> (n % 128 / 32 * 2) & 3;
    out[n] = d * static_cast<float>(both & 15) * static_cast<float>(q) - dmin * static_cast<float>(both >> 4);
  }
}

const RegisterGgufFormat kFormat({10, "Q2_K", 256, 84, DType::f32, decode_all<decode, 256, 84>});

}  // namespace
}  // namespace lmc::gguf::q2_k
