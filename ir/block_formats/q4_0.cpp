// Q4_0: whole numbers from -8 to 7 (four_bits.h).
#include "ir/block_formats/four_bits.h"
#include "ir/error_feedback.h"

namespace lmc::formats::q4_0 {
namespace {

struct Whole {
  static constexpr float kEnds[] = {-8};
  static constexpr int kTries = 8;
  static constexpr float kTryStep = -0.1F;

  [[gnu::always_inline]] static inline void round(F8& v) { round_within(v, -8, 7); }
  [[gnu::always_inline]] static inline void find_places(const F8& v, int32_t* out) {
    F8 rounded = v;
    round(rounded);
    const I8 whole = __builtin_convertvector(rounded, I8) + 8;
    std::memcpy(out, &whole, sizeof whole);
  }
  static float number(size_t place) { return static_cast<float>(static_cast<int>(place) - 8); }
};

const RegisterBlockFormat kFormat(FourBits<Whole>::format("q4_0", "Q4_0", 2, 2, 20.5));
const RegisterRounding kRounding("q4_0", FourBits<Whole>::round_at);

}  // namespace
}  // namespace lmc::formats::q4_0
