// Q5_K: a Q4_K block (ir/block_formats/q4_k.h) with 32 bytes of fifth bits in front of its numbers, one bit
// of each for each part.
#include "ir/block_formats/q4_k.h"
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::q5_k {
namespace {

void decode(const std::byte* b, float* out) {
  std::byte rest[144];
  std::copy_n(b, 16, rest);
  std::copy_n(b + 48, 128, rest + 16);
  const Q4KBlock block = Q4KBlock::load(rest);
  const float d = f16_to_f32(block.d);
  const float dmin = f16_to_f32(block.dmin);
  for (size_t part = 0; part < Q4KBlock::kParts; ++part) {
    const float scale = d * static_cast<float>(block.scale[part]);
    const float min = dmin * static_cast<float>(block.min[part]);
    for (size_t i = 0; i < Q4KBlock::kPart; ++i) {
      const int fifth = byte_at(b, 16 + static_cast<int>(i)) >> part & 1;
      *out++ = scale * static_cast<float>(block.q[part][i] | fifth << 4) - min;
    }
  }
}

const RegisterGgufFormat kFormat({13, "Q5_K", 256, 176, DType::f32, decode_all<decode, 256, 176>});

}  // namespace
}  // namespace lmc::gguf::q5_k
