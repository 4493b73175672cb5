// The parts of a block of Q4_K or Q5_K.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lmc {

// 256 numbers in 8 parts of 32, each d * scale * q - dmin * min with q of 4 or 5 bits, scale and min of 6.
struct BlockWithMinima {
  static constexpr size_t kParts = 8;
  static constexpr size_t kPart = 32;

  uint16_t d = 0, dmin = 0;  // f16
  std::array<uint8_t, kParts> scale{}, min{};
  std::array<std::array<uint8_t, kPart>, kParts> q{};

  // d, dmin, 12 bytes of scales and minima, of 5 bits 32 bytes of the fifth ones, 128 of the lower four. Each
  // run of 32 of those holds a part in its low halves and the next part in its high ones; of the fifth bits
  // each byte holds one number of every part. 144 or 176 bytes.
  static constexpr int64_t bytes(int bits) { return 16 + 32 * bits; }
  // Of a part of a stored block, whatever its bits.
  struct Factors {
    uint8_t scale, min;
  };
  static Factors factors(const std::byte* block, size_t part);
  static BlockWithMinima load(const std::byte* block, int bits);
  void store(std::byte* block, int bits) const;
  // Number `i` of a stored block becomes q.
  static void put(std::byte* block, int bits, size_t i, int q);
};

}  // namespace lmc
