// Sets of Unicode code points, and the bytes of UTF-8 that stand for them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "grammar/byte_set.h"

namespace lmc::grammar {

// Ranges, both ends included, sorted, neither touching nor overlapping; surrogates are in none.
class CodePoints {
 public:
  static constexpr uint32_t kLast = 0x10ffff;

  CodePoints() = default;
  CodePoints(std::initializer_list<std::pair<uint32_t, uint32_t>> ranges) {
    for (const auto& [first, last] : ranges) add(first, last);
  }
  static CodePoints all() { return {{0, kLast}}; }

  void add(uint32_t first, uint32_t last);
  void add(const CodePoints& o) {
    for (const auto& [first, last] : o.ranges()) add(first, last);
  }
  CodePoints operator~() const;
  bool empty() const { return ranges().empty(); }
  const std::vector<std::pair<uint32_t, uint32_t>>& ranges() const {
    settle();
    return ranges_;
  }

 private:
  void settle() const;

  mutable std::vector<std::pair<uint32_t, uint32_t>> ranges_;
  mutable bool settled_ = true;
};

// Each way to write one of these: a set of bytes for every byte of it.
std::vector<std::vector<ByteSet>> utf8_ways(const CodePoints& points);
// Of a code point that is no surrogate.
std::string utf8(uint32_t point);

}  // namespace lmc::grammar
