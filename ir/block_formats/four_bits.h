// Formats of 32 numbers of 4 bits: an f16 scale d and 16 bytes, whose low halves are the places of numbers 0
// to 15 in a grid, and the high ones those of 16 to 31; a number is d * grid[place], d as best_scale.h has
// it.
//
// A Grid has what that wants; `find_places(v, int32_t[8])` of what is rounded; and `number(place)`.
#pragma once

#include "ir/block_format.h"
#include "ir/block_formats/best_scale.h"
#include "ir/block_formats/lanes.h"

namespace lmc::formats {

template <class Grid>
struct FourBits {
  [[gnu::always_inline]] static inline void encode_lanes(const float* numbers, const float* importance,
                                                         std::byte* out) {
    const Lanes x(numbers);
    const float most = largest(numbers, 32);
    const float found = most != 0 && all_finite(x) ? best_scale<Grid>(x, Lanes(importance), most) : 0.0F;
    const uint16_t scale = all_finite(x) ? to_scale(found) : kNotANumber;
    std::memcpy(out, &scale, 2);
    const float d = f16_to_f32(scale);
    const float inverse = d != 0 ? 1.0F / d : 0.0F;
    int32_t place[32];
    for (size_t i = 0; i < Lanes::kParts; ++i) Grid::find_places(x.part[i] * inverse, place + i * 8);
    for (size_t i = 0; i < 16; ++i) out[2 + i] = static_cast<std::byte>(place[i] | place[i + 16] << 4);
  }

  static void decode(const std::byte* block, float* out) {
    uint16_t scale;
    std::memcpy(&scale, block, 2);
    const float d = f16_to_f32(scale);
    for (size_t i = 0; i < 16; ++i) {
      const auto both = std::to_integer<size_t>(block[2 + i]);
      out[i] = Grid::number(both & 15) * d;
      out[i + 16] = Grid::number(both >> 4) * d;
    }
  }

  static float round_at(std::byte* block, int64_t i, float x) {
    uint16_t scale;
    std::memcpy(&scale, block, 2);
    const float d = f16_to_f32(scale);
    int32_t place[8];
    Grid::find_places(F8{} + x * (d != 0 ? 1.0F / d : 0.0F), place);
    std::byte& both = block[2 + i % 16];
    both = i < 16 ? (both & std::byte{0xF0}) | static_cast<std::byte>(place[0])
                  : (both & std::byte{0x0F}) | static_cast<std::byte>(place[0] << 4);
    return Grid::number(static_cast<size_t>(place[0])) * d;
  }

  // By GGUF's name, the numbers of its types, and BlockFormat::decibels.
  static BlockFormat format(const char* name, const char* gguf, uint32_t type, uint32_t file,
                            double decibels) {
    return {name,
            32,
            18,
            gguf,
            type,
            file,
            decibels,
            decode_blocks<decode, 32, 18>,
            encode_alike<encode_lanes, 32, 18>,
            nullptr,
            false,
            encode_by<encode_lanes, 32, 18>};
  }
};

}  // namespace lmc::formats
