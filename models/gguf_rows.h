// The numbers of a checkpoint's tensor as the rows of one in a GGUF file.
#pragma once

#include <string>

#include "ir/weights.h"
#include "models/checkpoint/gguf_storage.h"
#include "models/checkpoint/gguf_writer.h"

namespace lmc {

// A tensor to be written: `source` must outlive its writing.
struct GgufRows {
  const WeightSource& source;
  std::string name;  // in `source`
  GgufStorage how;
  const GgufFormat* format;

  std::vector<int64_t> shape() const;  // as stored
  // Stored rows [first, first + rows) in `format`. Q8_0 blocks that the source has are kept as they are.
  void fill(int64_t first, int64_t rows, std::span<std::byte> out) const;
};

}  // namespace lmc
