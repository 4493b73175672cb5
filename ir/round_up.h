// Sizes in whole units.
#pragma once

#include <cstdint>

namespace lmc {

constexpr int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }  // n >= 0, to > 0

}  // namespace lmc
