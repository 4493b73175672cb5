// IQ4_NL: the numbers of four_bit_grid.h (four_bits.h).
#include <array>

#include "ir/block_formats/four_bit_grid.h"
#include "ir/block_formats/four_bits.h"
#include "ir/error_feedback.h"

namespace lmc::formats::iq4_nl {
namespace {

// Of neighbours in the grid what is between them, and by how much they differ.
struct Steps {
  std::array<float, 15> middle, up;
};
constexpr Steps kSteps = [] {
  Steps out{};
  for (size_t i = 0; i < 15; ++i) {
    const float low = kFourBitGrid[i], high = kFourBitGrid[i + 1];
    out.middle[i] = (low + high) / 2;
    out.up[i] = high - low;
  }
  return out;
}();

struct FinerAroundZero {
  static constexpr float kEnds[] = {-127, 113};
  static constexpr int kTries = 7;
  static constexpr float kTryStep = 2;

  // The lower one of two that are as near, and for NaN the lowest.
  [[gnu::always_inline]] static inline void round(F8& v) {
    F8 out = F8{} + number(0);
    for (size_t i = 0; i < 15; ++i) out += v > kSteps.middle[i] ? F8{} + kSteps.up[i] : F8{};
    v = out;
  }
  [[gnu::always_inline]] static inline void find_places(const F8& v, int32_t* out) {
    I8 place = {};
    for (const float middle : kSteps.middle) place -= v > middle;  // -1 where it is
    std::memcpy(out, &place, sizeof place);
  }
  static float number(size_t place) { return kFourBitGrid[place]; }
};

const RegisterBlockFormat kFormat(FourBits<FinerAroundZero>::format("iq4_nl", "IQ4_NL", 20, 25, 21.5));
const RegisterRounding kRounding("iq4_nl", FourBits<FinerAroundZero>::round_at);

}  // namespace
}  // namespace lmc::formats::iq4_nl
