// The scale of some numbers that are rounded to a grid: of those that bring the largest number near an end of
// the grid the one of least squared error, each with the numbers rounded to it: d = sum(x g) / sum(g g), both
// by importance.
//
// A Grid has `kEnds`; `kTries` on either side of each, `kTryStep` of the grid's numbers apart; and
// `round(F8&)` to its numbers.
#pragma once

#include "ir/block_formats/lanes.h"

namespace lmc::formats {

// `most`: the number of the largest magnitude, which is not 0.
template <class Grid, size_t parts>
[[gnu::always_inline]] inline float best_scale(const LanesOf<parts>& x, const LanesOf<parts>& importance,
                                               float most) {
  float best = 0;
  float scale = most / Grid::kEnds[0];
  for (const float end : Grid::kEnds) {
    for (int i = -Grid::kTries; i <= Grid::kTries; ++i) {
      const float inverse = (end + Grid::kTryStep * static_cast<float>(i)) / most;
      F8 with_x = {};
      F8 squares = {};
      for (size_t part = 0; part < parts; ++part) {
        F8 g = x.part[part] * inverse;
        Grid::round(g);
        const F8 counted = importance.part[part] * g;
        with_x += x.part[part] * counted;
        squares += counted * g;
      }
      const float xg = sum(with_x);
      const float gg = sum(squares);
      if (xg * xg > best * gg) {
        best = xg * xg / gg;
        scale = xg / gg;
      }
    }
  }
  return scale;
}

}  // namespace lmc::formats
