// Formats that weights are stored in: rows cut into blocks along the last dimension, each block a few bytes,
// as GGUF stores them. A format is one descriptor in one file under block_formats/ (or in a plugin), and what
// its numbers are is said there once: for the evaluator, the packer, the rules of `quantize` and GGUF files.
// The kernels' side of it is a layout (codegen/weight_layout.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ir/type.h"

namespace lmc {

struct BlockFormat {
  std::string name;    // "q8_0", as the IR says it
  int64_t values;      // of a block; 1 where each number stands for itself: f32, f16, bf16
  int64_t bytes;       // of a block
  std::string gguf;    // what GGUF calls it: "Q8_0"; empty if GGUF has no such blocks
  uint32_t gguf_type;  // of a tensor in a GGUF file …
  uint32_t gguf_file;  // … and of a file whose tensors are mostly of it (general.file_type)
  double decibels;     // how far above its rounding errors normal numbers lie: which format is more precise
  void (*decode)(const std::byte* blocks, int64_t count, float* out);
  // `x` holds `count` times `values` numbers; where a row ends within a block the rest are zeros. A block
  // that holds NaN or an infinity becomes one of NaN alone.
  void (*encode)(const float* x, int64_t count, std::byte* blocks);
  // Bytes of a row of `columns` numbers as layouts hold it; null: as many as its blocks have.
  int64_t (*packed_row_bytes)(int64_t columns) = nullptr;
  // The numbers that a part of another format's blocks stands for: nothing is rounded to it.
  bool partial = false;
  // As `encode`, where the squared error of each number counts `importance` times, 0 or more: 0 of all 32
  // is 1. Null: there is nothing to choose by it.
  void (*encode_by)(const float* x, const float* importance, int64_t count, std::byte* blocks) = nullptr;
  DType dtype = {};  // given when it is registered

  int64_t blocks(int64_t columns) const { return (columns + values - 1) / values; }
  int64_t row_bytes(int64_t columns) const { return blocks(columns) * bytes; }
};

// Before main() starts, or when a plugin is loaded. Error if the name is taken by something else.
struct RegisterBlockFormat {
  explicit RegisterBlockFormat(BlockFormat format);
};

const BlockFormat& block_format(DType dtype);  // Error for what no weight is stored in: i32, kv_f16, …
// By id: f32, f16, bf16, q8_0, then the others, but for partial ones.
std::vector<const BlockFormat*> block_formats();

// A whole row of `columns` numbers; the last block is padded with zeros. `importance`: of each column, or
// null.
void encode_row(const BlockFormat& format, const float* x, int64_t columns, std::byte* out,
                const float* importance = nullptr);
void decode_row(const BlockFormat& format, const std::byte* blocks, int64_t columns, float* out);
// What such a row reads back as, in place.
void round_row(const BlockFormat& format, double* x, int64_t columns);

// What a weight may be rounded to, f16 and bf16 included, in words: "q8_0, …, f16 or bf16".
bool is_weight_format(DType dtype);
std::string weight_format_names();

// Bytes of `elements` values of any type in rows of `row_length`, as they are held when a model runs.
int64_t storage_bytes(DType t, int64_t elements, int64_t row_length);

}  // namespace lmc
