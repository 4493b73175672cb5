// How GGUF stores the numbers of a tensor: rows cut into blocks, each block a few bytes. The formats are
// those of ggml (ggml-common.h, dequantize_row_* in ggml-quants.c): those that lmc has too
// (ir/block_format.h), and those that are only read, one file each under formats/.
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
  // Of a format without kernels: its blocks as blocks of `nearest`, which has some, where they come nearer
  // than numbers that are quantised anew. Null: they do not.
  void (*as_nearest)(const std::byte* blocks, int64_t count, std::byte* out) = nullptr;
  const char* nearest = "q8_0";  // as ir/block_format.h calls it
};

// Before main() starts.
struct RegisterGgufFormat {
  explicit RegisterGgufFormat(GgufFormat format);
};

// Null for a format that is not read.
const GgufFormat* gguf_format(uint32_t id);
const GgufFormat& gguf_format(const std::string& name);  // must exist
// What ggml calls a format, also one that is not read: "Q5_K (13)".
std::string gguf_format_name(uint32_t id);
// The format of ir/block_format.h that has the same blocks, if any.
std::optional<DType> quantised_as(const GgufFormat& format);
// That one, or for a quantised format that is only read the one that loses nothing of it or the least;
// nullopt for plain numbers.
std::optional<DType> nearest_kernel_format(const GgufFormat& format);
std::string gguf_format_names();  // those that are read: "F32, F16, …"

}  // namespace lmc
