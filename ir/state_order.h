// Where a number of a recurrent state lies among those of its head: what the op that says what it means and
// the kernel that computes it agree on. Columns come in blocks that registers hold, [V/16][K][16], the last
// block being as wide as what is left: a block's rows follow each other.
#pragma once

#include <algorithm>
#include <cstdint>

namespace lmc {

inline constexpr int64_t kStateColumns = 16;

// Of a state of `keys` rows and `values` columns.
inline int64_t state_number(int64_t keys, int64_t values, int64_t row, int64_t column) {
  const int64_t first = column / kStateColumns * kStateColumns;
  return first * keys + row * std::min(kStateColumns, values - first) + column - first;
}

}  // namespace lmc
