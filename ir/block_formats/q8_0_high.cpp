// What the high halves of Q8_0's numbers say of them: blocks as q8_0 has them, of which a number is d (16 h +
// 8) with h = q / 16, rounded down: the middle of what it may be, to half a step.
#include <cstring>

#include "ir/block_format.h"

namespace lmc::formats::q8_0_high {
namespace {

constexpr int64_t kValues = 32, kBytes = 34;

void decode(const std::byte* blocks, int64_t count, float* out) {
  for (int64_t b = 0; b < count; ++b, blocks += kBytes, out += kValues) {
    uint16_t scale;
    std::memcpy(&scale, blocks, 2);
    const float d = f16_to_f32(scale);
    for (int64_t i = 0; i < kValues; ++i) {
      const int high = static_cast<int8_t>(blocks[2 + i]) >> 4;
      out[i] = static_cast<float>(16 * high + 8) * d;
    }
  }
}

void encode(const float* x, int64_t count, std::byte* blocks) {
  block_format(DType::q8_0).encode(x, count, blocks);
}

// As layouts hold it: a scale and half a byte for each.
int64_t high_bytes(int64_t columns) { return (columns + kValues - 1) / kValues * (2 + kValues / 2); }

const RegisterBlockFormat kFormat({"q8_0_high", kValues, kBytes, "", 0, 0, 20, decode, encode, high_bytes,
                                   true});

}  // namespace
}  // namespace lmc::formats::q8_0_high
