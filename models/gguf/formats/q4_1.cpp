// Q4_1: an f16 scale d, an f16 minimum m, 16 bytes of numbers: d * q + m.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::q4_1 {
namespace {

void decode(const std::byte* b, float* out) {
  const float d = half(b);
  const float m = half(b + 2);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(nibble(b + 4, i)) * d + m;
}

const RegisterGgufFormat kFormat({3, "Q4_1", 32, 20, DType::f32, decode_all<decode, 32, 20>});

}  // namespace
}  // namespace lmc::gguf::q4_1
