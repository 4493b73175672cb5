// How GGUF stores the numbers of a tensor: rows cut into blocks, each block a few bytes. The formats are
// those of ggml (ggml-common.h, dequantize_row_* in ggml-quants.c): those that lmc has too
// (ir/block_format.h), and some that are only read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "ir/type.h"

namespace lmc {

struct GgufFormat {
  uint32_t id;       // as the file says it
  std::string name;  // "Q4_K"
  int64_t elements;  // of a block
  int64_t bytes;     // of a block
  DType dtype;       // that holds its numbers exactly enough: f32 for what is dequantised on reading
  void (*decode)(const std::byte* blocks, int64_t count, float* out);
};

// Null for a format that is not read.
const GgufFormat* gguf_format(uint32_t id);
const GgufFormat& gguf_format(const std::string& name);  // must exist
// What ggml calls a format, also one that is not read: "Q5_K (13)".
std::string gguf_format_name(uint32_t id);
// The format of ir/block_format.h that has the same blocks, if any.
std::optional<DType> quantised_as(const GgufFormat& format);
std::string gguf_format_names();  // those that are read: "F32, F16, …"

}  // namespace lmc
