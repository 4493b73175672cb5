#include "ir/block_formats/block_with_minima.h"

#include <cstring>

namespace lmc {
namespace {

constexpr size_t kScales = 4, kRest = 16;  // bytes in front
constexpr size_t kPart = BlockWithMinima::kPart;

}  // namespace

// Of the 12 bytes s, parts 0 to 3 have the low 6 bits of s[part] and s[part + 4]; parts 4 to 7 the halves of
// s[part + 4], and above them the upper 2 bits of s[part - 4] and s[part].
BlockWithMinima::Factors BlockWithMinima::factors(const std::byte* block, size_t part) {
  const auto s = [&](size_t i) { return std::to_integer<int>(block[kScales + i]); };
  const bool low = part < 4;
  return {static_cast<uint8_t>(low ? s(part) & 63 : (s(part + 4) & 15) | (s(part - 4) >> 6) << 4),
          static_cast<uint8_t>(low ? s(part + 4) & 63 : s(part + 4) >> 4 | (s(part) >> 6) << 4)};
}

BlockWithMinima BlockWithMinima::load(const std::byte* block, int bits) {
  BlockWithMinima out;
  std::memcpy(&out.d, block, 2);
  std::memcpy(&out.dmin, block + 2, 2);
  const std::byte* fifths = block + kRest;
  const std::byte* halves = bits == 5 ? fifths + kPart : fifths;
  for (size_t part = 0; part < kParts; ++part) {
    const Factors of_part = factors(block, part);
    out.scale[part] = of_part.scale;
    out.min[part] = of_part.min;
    for (size_t i = 0; i < kPart; ++i) {
      const int both = std::to_integer<int>(halves[part / 2 * kPart + i]);
      const int fifth = bits == 5 ? std::to_integer<int>(fifths[i]) >> part & 1 : 0;
      out.q[part][i] = static_cast<uint8_t>((part % 2 ? both >> 4 : both & 15) | fifth << 4);
    }
  }
  return out;
}

void BlockWithMinima::store(std::byte* block, int bits) const {
  std::memcpy(block, &d, 2);
  std::memcpy(block + 2, &dmin, 2);
  std::array<int, 12> s{};
  for (size_t part = 0; part < 4; ++part) {
    s[part] = scale[part] | (scale[part + 4] >> 4) << 6;
    s[part + 4] = min[part] | (min[part + 4] >> 4) << 6;
    s[part + 8] = (scale[part + 4] & 15) | (min[part + 4] & 15) << 4;
  }
  for (size_t i = 0; i < s.size(); ++i) block[kScales + i] = static_cast<std::byte>(s[i]);
  std::byte* at = block + kRest;
  for (size_t i = 0; bits == 5 && i < kPart; ++i, ++at) {
    int fifths = 0;
    for (size_t part = 0; part < kParts; ++part) fifths |= (q[part][i] >> 4) << part;
    *at = static_cast<std::byte>(fifths);
  }
  for (size_t part = 0; part < kParts; part += 2) {
    for (size_t i = 0; i < kPart; ++i, ++at)
      *at = static_cast<std::byte>((q[part][i] & 15) | (q[part + 1][i] & 15) << 4);
  }
}

void BlockWithMinima::put(std::byte* block, int bits, size_t i, int q) {
  const size_t part = i / kPart, n = i % kPart;
  std::byte* at = block + kRest;
  if (bits == 5) {
    const auto bit = static_cast<std::byte>(1 << part);
    at[n] = q >> 4 ? at[n] | bit : at[n] & ~bit;
    at += kPart;
  }
  std::byte& both = at[part / 2 * kPart + n];
  both = part % 2 ? (both & std::byte{0x0F}) | static_cast<std::byte>((q & 15) << 4)
                  : (both & std::byte{0xF0}) | static_cast<std::byte>(q & 15);
}

}  // namespace lmc
