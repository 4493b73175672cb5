// The logits of a step's rows on rank 0 of several, as far as they were asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/some_logits.h"

namespace lmc {

struct AskedLogits {
  std::vector<SomeLogits> rows;
  // Both from any thread. Which id of a rank a draw falls on, below 0 where that is not certain; and all
  // logits of a row.
  std::function<int32_t(int64_t row, LogitDraw draw)> draw;
  std::function<std::span<const float>(int64_t row)> all;
};

}  // namespace lmc
