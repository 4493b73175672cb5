// Numbers for proofs: the same for the same seed, on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ir/seeded.h"
#include "ir/type.h"

namespace lmc::proof {

// Below `limit`.
int64_t seeded_below(uint64_t key, uint64_t index, int64_t limit);

// A row of a weight: as a layout packs it (blocks of its format), and the
// numbers it stands for. In every fifth row of Q8_0 the integers go to both ends, -128 included.
struct WeightRow {
  std::vector<std::byte> stored;
  std::vector<float> numbers;
};
WeightRow weight_row(DType dtype, int64_t columns, uint64_t key, int64_t row);

}  // namespace lmc::proof
