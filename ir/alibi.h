// Slopes of attention with linear biases, per query head.
#pragma once

#include <cstdint>
#include <vector>

namespace lmc {

// For 2^n heads the powers of 2^(-8/2^n); for other counts those of the next lower power of two, then every
// second one of the next higher ("Train Short, Test Long", Press et al. 2021, and its published code).
std::vector<double> alibi_slopes(int64_t heads);

}  // namespace lmc
