// IQ4_NL: an f16 scale, 16 bytes of places in a grid that is finer around zero. Q8_0 holds the same numbers.
#include "models/gguf/formats/block_bytes.h"
#include "models/gguf/formats/four_bit_grid.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc::gguf::iq4_nl {
namespace {

int number(const std::byte* b, int i) { return kFourBitGrid[nibble(b + 2, i)]; }

void decode(const std::byte* b, float* out) {
  const float d = half(b);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(number(b, i));
}

void as_q8_0(const std::byte* b, std::byte* out) {
  put_q8_0(out, load<uint16_t>(b), [&](int i) { return number(b, i); });
}

const RegisterGgufFormat kFormat({20, "IQ4_NL", 32, 18, DType::f32, decode_all<decode, 32, 18>,
                                  convert_all<as_q8_0, 32, 18>});

}  // namespace
}  // namespace lmc::gguf::iq4_nl
