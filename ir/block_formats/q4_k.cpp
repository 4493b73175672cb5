// Q4_K: scale and minimum of each part of 32 are those of least squared error among some near (max - min) /
// 15, each with the numbers rounded to it; their own scales follow the largest of the block's 8.
#include "ir/block_formats/q4_k.h"

#include <algorithm>
#include <cmath>

#include "ir/block_format.h"
#include "ir/block_formats/lanes.h"

namespace lmc {
namespace {

constexpr int kTries = 20;  // from 14 to 16 steps between the smallest number and the largest
constexpr float kFewestSteps = 14;
constexpr float kTryStep = 0.1F;

// x ~ scale * q - min
struct Fit {
  float scale = 0, min = 0;
};

// Least squares, given q: sums of importance (`n`), and with it of q, q q, x and x q. A minimum above zero
// cannot be stored.
struct Line {
  Fit fit;
  float error;  // without the sum of x * x, which is the same for every q
};

Line fit_line(float n, float q, float qq, float x, float xq) {
  const float spread = n * qq - q * q;
  float scale = 0;
  float offset = x / n;
  if (spread > 0) {
    scale = (n * xq - x * q) / spread;
    offset = (qq * x - q * xq) / spread;
  }
  if (offset > 0) {
    offset = 0;
    scale = qq > 0 ? xq / qq : 0;
  }
  const float error =
      scale * scale * qq + n * offset * offset + 2 * (scale * offset * q - scale * xq - offset * x);
  return {{scale, -offset}, error};
}

[[gnu::always_inline]] inline Fit fit_part(const float* numbers, const float* importance) {
  const Lanes x(numbers), counts(importance);
  const auto [least, most] = std::minmax_element(numbers, numbers + Q4KBlock::kPart);
  const float low = std::min(*least, 0.0F);
  const float range = *most - low;
  if (!(range > 0)) return {0, -low};
  F8 count = {};
  F8 all = {};
  for (size_t part = 0; part < Lanes::kParts; ++part) {
    count += counts.part[part];
    all += counts.part[part] * x.part[part];
  }
  const float n = sum(count), total = sum(all);
  Line best{{range / 15, -low}, INFINITY};
  for (int i = 0; i <= kTries; ++i) {
    const float inverse = (kFewestSteps + kTryStep * static_cast<float>(i)) / range;
    F8 sums = {};
    F8 squares = {};
    F8 with_x = {};
    for (size_t part = 0; part < Lanes::kParts; ++part) {
      F8 q = (x.part[part] - low) * inverse;
      round_within(q, 0, 15);
      const F8 counted = counts.part[part] * q;
      sums += counted;
      squares += counted * q;
      with_x += x.part[part] * counted;
    }
    const Line line = fit_line(n, sum(sums), sum(squares), total, sum(with_x));
    if (line.error < best.error && line.fit.scale > 0) best = line;
  }
  return best.fit;
}

// 63 of them make the largest.
uint16_t scale_of(float largest) { return to_scale(largest / 63.0F); }

uint8_t in_steps(float x, float step) {
  const float steps = step > 0 ? std::nearbyint(x / step) : 0.0F;
  return static_cast<uint8_t>(std::clamp(steps > 0 ? steps : 0.0F, 0.0F, 63.0F));
}

[[gnu::always_inline]] inline void encode_lanes(const float* x, const float* importance, std::byte* out) {
  std::array<Fit, Q4KBlock::kParts> fits;
  Fit largest;
  bool finite = true;
  for (size_t part = 0; part < fits.size(); ++part) {
    finite &= all_finite(Lanes(x + part * Q4KBlock::kPart));
    fits[part] = fit_part(x + part * Q4KBlock::kPart, importance + part * Q4KBlock::kPart);
    largest.scale = std::max(largest.scale, fits[part].scale);
    largest.min = std::max(largest.min, fits[part].min);
  }
  Q4KBlock block;
  if (!finite) {
    block.d = kNotANumber;
    return block.store(out);
  }
  block.d = scale_of(largest.scale);
  block.dmin = scale_of(largest.min);
  const float d = f16_to_f32(block.d);
  const float dmin = f16_to_f32(block.dmin);
  for (size_t part = 0; part < fits.size(); ++part) {
    block.scale[part] = in_steps(fits[part].scale, d);
    block.min[part] = in_steps(fits[part].min, dmin);
    const float scale = d * static_cast<float>(block.scale[part]);
    const float min = dmin * static_cast<float>(block.min[part]);
    const float inverse = scale > 0 ? 1.0F / scale : 0.0F;
    const Lanes numbers(x + part * Q4KBlock::kPart);
    for (size_t i = 0; i < Lanes::kParts; ++i) {
      F8 q = (numbers.part[i] + min) * inverse;
      round_within(q, 0, 15);
      for (size_t l = 0; l < 8; ++l) block.q[part][i * 8 + l] = static_cast<uint8_t>(q[l]);
    }
  }
  block.store(out);
}

void decode(const std::byte* bytes, float* out) {
  const Q4KBlock block = Q4KBlock::load(bytes);
  const float d = f16_to_f32(block.d);
  const float dmin = f16_to_f32(block.dmin);
  for (size_t part = 0; part < Q4KBlock::kParts; ++part) {
    const float scale = d * static_cast<float>(block.scale[part]);
    const float min = dmin * static_cast<float>(block.min[part]);
    for (const uint8_t q : block.q[part]) *out++ = scale * static_cast<float>(q) - min;
  }
}

}  // namespace

// Of the 12 bytes s, parts 0 to 3 have the low 6 bits of s[part] and s[part + 4]; parts 4 to 7 the halves of
// s[part + 4], and above them the upper 2 bits of s[part - 4] and s[part].
Q4KBlock Q4KBlock::load(const std::byte* block) {
  Q4KBlock out;
  std::memcpy(&out.d, block, 2);
  std::memcpy(&out.dmin, block + 2, 2);
  const auto s = [&](size_t i) { return std::to_integer<int>(block[4 + i]); };
  for (size_t part = 0; part < kParts; ++part) {
    const bool low = part < 4;
    out.scale[part] = static_cast<uint8_t>(low ? s(part) & 63 : (s(part + 4) & 15) | (s(part - 4) >> 6) << 4);
    out.min[part] = static_cast<uint8_t>(low ? s(part + 4) & 63 : s(part + 4) >> 4 | (s(part) >> 6) << 4);
    for (size_t i = 0; i < kPart; ++i) {
      const int both = std::to_integer<int>(block[16 + part / 2 * kPart + i]);
      out.q[part][i] = static_cast<uint8_t>(part % 2 ? both >> 4 : both & 15);
    }
  }
  return out;
}

void Q4KBlock::store(std::byte* block) const {
  std::memcpy(block, &d, 2);
  std::memcpy(block + 2, &dmin, 2);
  std::array<int, 12> s{};
  for (size_t part = 0; part < 4; ++part) {
    s[part] = scale[part] | (scale[part + 4] >> 4) << 6;
    s[part + 4] = min[part] | (min[part + 4] >> 4) << 6;
    s[part + 8] = (scale[part + 4] & 15) | (min[part + 4] & 15) << 4;
  }
  for (size_t i = 0; i < s.size(); ++i) block[4 + i] = static_cast<std::byte>(s[i]);
  for (size_t part = 0; part < kParts; part += 2) {
    for (size_t i = 0; i < kPart; ++i)
      block[16 + part / 2 * kPart + i] = static_cast<std::byte>(q[part][i] | q[part + 1][i] << 4);
  }
}

namespace {

// Layouts leave out the parts of 32 behind a row's end, and give scales and minima a byte each.
int64_t packed_row_bytes(int64_t columns) {
  const int64_t parts = (columns + 31) / 32;
  return parts * 18 + (parts + 7) / 8 * 4;
}

const RegisterBlockFormat kFormat({"q4_k", 256, 144, "Q4_K", 12, 14, 22, decode_blocks<decode, 256, 144>,
                                   encode_alike<encode_lanes, 256, 144>, packed_row_bytes, false,
                                   encode_by<encode_lanes, 256, 144>});

}  // namespace
}  // namespace lmc
