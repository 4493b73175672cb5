// A format that nobody needs: 4 bits around zero and an f16 scale of the largest number. This file and
// t4_layout.cpp are all that lmc has of it.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "ir/block_format.h"

namespace lmc {
namespace {

constexpr int64_t kValues = 32;
constexpr int64_t kBytes = 18;  // as of Q4_0: the scale, then columns i and 16 + i in the halves of byte i

void encode(const float* x, int64_t count, std::byte* out) {
  for (; count > 0; --count, x += kValues, out += kBytes) {
    float most = 0;
    for (int64_t i = 0; i < kValues; ++i) most = std::max(most, std::fabs(x[i]));
    const uint16_t scale = f32_to_f16(most / 7);
    std::memcpy(out, &scale, 2);
    const float d = f16_to_f32(scale);
    const auto whole = [&](float f) {
      return d > 0 ? std::clamp(static_cast<int>(std::nearbyint(f / d)), -7, 7) + 8 : 8;
    };
    for (int64_t i = 0; i < 16; ++i) out[2 + i] = static_cast<std::byte>(whole(x[i]) | whole(x[16 + i]) << 4);
  }
}

void decode(const std::byte* in, int64_t count, float* out) {
  for (; count > 0; --count, in += kBytes, out += kValues) {
    uint16_t scale;
    std::memcpy(&scale, in, 2);
    const float d = f16_to_f32(scale);
    for (int64_t i = 0; i < 16; ++i) {
      const int both = std::to_integer<int>(in[2 + i]);
      out[i] = static_cast<float>((both & 15) - 8) * d;
      out[16 + i] = static_cast<float>((both >> 4) - 8) * d;
    }
  }
}

const RegisterBlockFormat kFormat({"t4", kValues, kBytes, "", 0, 0, 18, decode, encode});

}  // namespace
}  // namespace lmc
