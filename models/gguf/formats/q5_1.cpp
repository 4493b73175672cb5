// Q5_1: an f16 scale d, an f16 minimum m, 32 fifth bits, 16 bytes of the lower four: d * q + m.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::q5_1 {
namespace {

void decode(const std::byte* b, float* out) {
  const float d = half(b);
  const float m = half(b + 2);
  const auto fifth = load<uint32_t>(b + 4);
  for (int i = 0; i < 32; ++i) {
    const int q = nibble(b + 8, i) | static_cast<int>(fifth >> i & 1) << 4;
    out[i] = static_cast<float>(q) * d + m;
  }
}

const RegisterGgufFormat kFormat({7, "Q5_1", 32, 24, DType::f32, decode_all<decode, 32, 24>});

}  // namespace
}  // namespace lmc::gguf::q5_1
