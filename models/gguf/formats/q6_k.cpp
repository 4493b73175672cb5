// Q6_K: 256 numbers of 6 bits: 128 bytes of low halves, 64 bytes of upper pairs, 16 int8 scales, an f16 scale
// of those.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::q6_k {
namespace {

void decode(const std::byte* b, float* out) {
  const float d = half(b + 208);
  for (int n = 0; n < 256; ++n) {
    const int side = n / 128;      // each half of the block has its own 64 + 32 bytes
    const int run = n % 128 / 32;  // runs 0 and 1 take low halves, 2 and 3 high ones
    const int i = n % 32;
    const int low = byte_at(b, side * 64 + run % 2 * 32 + i) >> (run / 2 * 4) & 15;
    const int high = byte_at(b, 128 + side * 32 + i) >> (run * 2) & 3;
    const float scale = d * static_cast<float>(load<int8_t>(b + 192 + n / 16));
    out[n] = scale * static_cast<float>((low | high << 4) - 32);
  }
}

const RegisterGgufFormat kFormat({14, "Q6_K", 256, 210, DType::f32, decode_all<decode, 256, 210>});

}  // namespace
}  // namespace lmc::gguf::q6_k
