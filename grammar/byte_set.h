// A set of bytes.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace lmc::grammar {

class ByteSet {
 public:
  ByteSet() = default;
  static ByteSet of(uint8_t byte) { return range(byte, byte); }
  static ByteSet range(uint8_t first, uint8_t last) {
    ByteSet out;
    for (int b = first; b <= last; ++b) out.words_[static_cast<size_t>(b) / 64] |= uint64_t{1} << (b % 64);
    return out;
  }

  bool contains(uint8_t byte) const { return (words_[byte / 64] >> (byte % 64) & 1) != 0; }
  bool empty() const { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }
  // The lowest byte in it, which must not be empty.
  uint8_t first() const {
    size_t w = 0;
    while (words_[w] == 0) ++w;
    return static_cast<uint8_t>(w * 64 + static_cast<size_t>(std::countr_zero(words_[w])));
  }
  ByteSet& operator|=(const ByteSet& o) {
    for (size_t w = 0; w < words_.size(); ++w) words_[w] |= o.words_[w];
    return *this;
  }
  ByteSet operator&(const ByteSet& o) const {
    ByteSet out;
    for (size_t w = 0; w < words_.size(); ++w) out.words_[w] = words_[w] & o.words_[w];
    return out;
  }
  ByteSet operator~() const {
    ByteSet out;
    for (size_t w = 0; w < words_.size(); ++w) out.words_[w] = ~words_[w];
    return out;
  }
  auto operator<=>(const ByteSet&) const = default;
  const std::array<uint64_t, 4>& words() const { return words_; }

 private:
  std::array<uint64_t, 4> words_{};
};

}  // namespace lmc::grammar
