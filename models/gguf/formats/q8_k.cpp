// Q8_K: an f32 scale, 256 int8, and sums of those, which nobody needs here. In Q8_0 the scale is rounded to
// f16.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::q8_k {
namespace {

void decode(const std::byte* b, float* out) {
  const auto d = load<float>(b);
  for (int n = 0; n < 256; ++n) out[n] = d * static_cast<float>(load<int8_t>(b + 4 + n));
}

void as_q8_0(const std::byte* b, std::byte* out) {
  const uint16_t d = scale_bits(load<float>(b));
  for (int block = 0; block < 8; ++block)
    put_q8_0(out + block * 34, d, [&](int i) { return load<int8_t>(b + 4 + block * 32 + i); });
}

const RegisterGgufFormat kFormat({15, "Q8_K", 256, 292, DType::f32, decode_all<decode, 256, 292>,
                                  convert_all<as_q8_0, 256, 292>});

}  // namespace
}  // namespace lmc::gguf::q8_k
