// Q4_K and Q5_K: scale and minimum of each part of 32 are those of least squared error among some near (max -
// min) / 15 or 31, each with the numbers rounded to it; their own scales follow the largest of the block's 8.
#pragma once

#include <algorithm>
#include <cmath>

#include "ir/block_format.h"
#include "ir/block_formats/block_with_minima.h"
#include "ir/block_formats/lanes.h"

namespace lmc::formats {

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

inline Line fit_line(float n, float q, float qq, float x, float xq) {
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

// 63 of them make the largest.
inline uint16_t scale_of(float largest) { return to_scale(largest / 63.0F); }

inline uint8_t in_steps(float x, float step) {
  const float steps = step > 0 ? std::nearbyint(x / step) : 0.0F;
  return static_cast<uint8_t>(std::clamp(steps > 0 ? steps : 0.0F, 0.0F, 63.0F));
}

template <int bits>
struct WithMinima {
  static constexpr float kTop = (1 << bits) - 1;
  // From one step less than that between the smallest number and the largest to one more.
  static constexpr int kTries = 20;
  static constexpr float kFewestSteps = kTop - 1;
  static constexpr float kTryStep = 0.1F;
  static constexpr int64_t kBytes = BlockWithMinima::bytes(bits);

  [[gnu::always_inline]] static inline Fit fit_part(const float* numbers, const float* importance) {
    const Lanes x(numbers), counts(importance);
    const auto [least, most] = std::minmax_element(numbers, numbers + BlockWithMinima::kPart);
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
    Line best{{range / kTop, -low}, INFINITY};
    for (int i = 0; i <= kTries; ++i) {
      const float inverse = (kFewestSteps + kTryStep * static_cast<float>(i)) / range;
      F8 sums = {};
      F8 squares = {};
      F8 with_x = {};
      for (size_t part = 0; part < Lanes::kParts; ++part) {
        F8 q = (x.part[part] - low) * inverse;
        round_within(q, 0, kTop);
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

  [[gnu::always_inline]] static inline void encode_lanes(const float* x, const float* importance,
                                                         std::byte* out) {
    std::array<Fit, BlockWithMinima::kParts> fits;
    Fit largest;
    bool finite = true;
    for (size_t part = 0; part < fits.size(); ++part) {
      finite &= all_finite(Lanes(x + part * BlockWithMinima::kPart));
      fits[part] = fit_part(x + part * BlockWithMinima::kPart, importance + part * BlockWithMinima::kPart);
      largest.scale = std::max(largest.scale, fits[part].scale);
      largest.min = std::max(largest.min, fits[part].min);
    }
    BlockWithMinima block;
    if (!finite) {
      block.d = kNotANumber;
      return block.store(out, bits);
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
      const Lanes numbers(x + part * BlockWithMinima::kPart);
      for (size_t i = 0; i < Lanes::kParts; ++i) {
        F8 q = (numbers.part[i] + min) * inverse;
        round_within(q, 0, kTop);
        for (size_t l = 0; l < 8; ++l) block.q[part][i * 8 + l] = static_cast<uint8_t>(q[l]);
      }
    }
    block.store(out, bits);
  }

  static void decode(const std::byte* bytes, float* out) {
    const BlockWithMinima block = BlockWithMinima::load(bytes, bits);
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    for (size_t part = 0; part < BlockWithMinima::kParts; ++part) {
      const float scale = d * static_cast<float>(block.scale[part]);
      const float min = dmin * static_cast<float>(block.min[part]);
      for (const uint8_t q : block.q[part]) *out++ = scale * static_cast<float>(q) - min;
    }
  }

  static float round_at(std::byte* block, int64_t i, float x) {
    uint16_t d, dmin;
    std::memcpy(&d, block, 2);
    std::memcpy(&dmin, block + 2, 2);
    const auto n = static_cast<size_t>(i);
    const auto factors = BlockWithMinima::factors(block, n / BlockWithMinima::kPart);
    const float scale = f16_to_f32(d) * static_cast<float>(factors.scale);
    const float min = f16_to_f32(dmin) * static_cast<float>(factors.min);
    const float q = std::clamp(std::nearbyint(scale > 0 ? (x + min) / scale : 0.0F), 0.0F, kTop);
    BlockWithMinima::put(block, bits, n, static_cast<int>(q));
    return scale * q - min;
  }

  // Layouts leave out the parts of 32 behind a row's end, and give scales and minima a byte each.
  static int64_t packed_row_bytes(int64_t columns) {
    const int64_t parts = (columns + 31) / 32;
    return parts * (4 * bits + 2) + (parts + 7) / 8 * 4;
  }

  // By GGUF's name, the numbers of its types, and BlockFormat::decibels.
  static BlockFormat format(const char* name, const char* gguf, uint32_t type, uint32_t file,
                            double decibels) {
    return {name,
            256,
            kBytes,
            gguf,
            type,
            file,
            decibels,
            decode_blocks<decode, 256, kBytes>,
            encode_alike<encode_lanes, 256, kBytes>,
            packed_row_bytes,
            false,
            encode_by<encode_lanes, 256, kBytes>};
  }
};

}  // namespace lmc::formats
