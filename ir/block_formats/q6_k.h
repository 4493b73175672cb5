// The parts of a Q6_K block.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lmc {

// 256 numbers in 16 parts of 16, each d * scale * (q - 32) with q of 6 bits.
struct Q6KBlock {
  static constexpr size_t kParts = 16;
  static constexpr size_t kPart = 16;

  uint16_t d = 0;  // f16
  std::array<int8_t, kParts> scale{};
  std::array<std::array<uint8_t, kPart>, kParts> q{};

  // 210 bytes: 128 of the lower four bits, 64 of the upper two, the scales, d. Each half of the block, 128
  // numbers in runs of 32, has its own 64 + 32 bytes: runs 0 and 1 lie in low halves, 2 and 3 above them in
  // the high ones, and each byte of upper bits holds one number of every run.
  static Q6KBlock load(const std::byte* block);
  void store(std::byte* block) const;
};

}  // namespace lmc
