// The parts of a Q4_K block.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lmc {

// 256 numbers in 8 parts of 32, each d * scale * q - dmin * min with q of 4 bits, scale and min of 6.
struct Q4KBlock {
  static constexpr size_t kParts = 8;
  static constexpr size_t kPart = 32;

  uint16_t d = 0, dmin = 0;  // f16
  std::array<uint8_t, kParts> scale{}, min{};
  std::array<std::array<uint8_t, kPart>, kParts> q{};

  // 144 bytes: d, dmin, 12 bytes of scales and minima, 128 of numbers. Each run of 32 bytes holds a part in
  // its low halves and the next part in its high ones.
  static Q4KBlock load(const std::byte* block);
  void store(std::byte* block) const;
};

}  // namespace lmc
