#include "codegen/proof/seeded.h"

#include <cmath>

#include "ir/block_format.h"

namespace lmc::proof {

int64_t seeded_below(uint64_t key, uint64_t index, int64_t limit) {
  return static_cast<int64_t>(seeded_bits(key, index) % static_cast<uint64_t>(limit));
}

WeightRow weight_row(DType dtype, int64_t columns, uint64_t key, int64_t row) {
  WeightRow out;
  // 64 steps to either side fit every float format; products keep about the size of what goes in.
  const double unit = std::exp2(-6 - std::floor(std::log2(static_cast<double>(columns)) / 2));
  const uint64_t mixed = seeded_bits(key, 0);  // keys are small numbers, one beside the other
  for (int64_t c = 0; c < columns; ++c) {
    const double x = seeded(mixed, static_cast<uint64_t>(row * columns + c));
    out.numbers.push_back(static_cast<float>(std::round(x * 64) * unit));
  }
  const BlockFormat& format = block_format(dtype);
  out.stored.resize(static_cast<size_t>(format.row_bytes(columns)));
  encode_row(format, out.numbers.data(), columns, out.stored.data());
  if (dtype == DType::q8_0 && row % 5 == 0) {
    for (size_t i = 2; i < out.stored.size(); ++i) {  // a block is an f16 scale and 32 integers
      if (i % 34 < 2) continue;
      out.stored[i] = static_cast<std::byte>(static_cast<int8_t>(i % 3 == 0 ? -128 : i % 3 == 1 ? 127 : 1));
    }
  }
  decode_row(format, out.stored.data(), columns, out.numbers.data());
  return out;
}

}  // namespace lmc::proof
