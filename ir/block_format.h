// Quantised formats: rows cut into blocks along the last dimension, each block a few bytes as GGUF stores
// them. What a format's numbers are is said here once, for the evaluator, the packer and GGUF files alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "ir/type.h"

namespace lmc {

struct BlockFormat {
  DType dtype;     // q8_0, q4_0 or q4_k
  int64_t values;  // of a block
  int64_t bytes;   // of a block
  void (*decode)(const std::byte* block, float* out);
  // `x` holds `values` numbers; where a row ends within a block the rest are zeros.
  void (*encode)(const float* x, std::byte* block);

  int64_t blocks(int64_t columns) const { return (columns + values - 1) / values; }
  int64_t row_bytes(int64_t columns) const { return blocks(columns) * bytes; }
};

// Of a quantised DType.
const BlockFormat& block_format(DType dtype);

// A whole row of `columns` numbers; the last block is padded with zeros.
void encode_row(const BlockFormat& format, const float* x, int64_t columns, std::byte* out);
void decode_row(const BlockFormat& format, const std::byte* blocks, int64_t columns, float* out);

// What a weight may be rounded to, f16 and bf16 included: "q8_0, q4_0, q4_k, f16 or bf16".
bool is_weight_format(DType dtype);
std::string weight_format_names();

}  // namespace lmc
