// The numbers of a checkpoint's tensor as the rows of one in a GGUF file.
#pragma once

#include <string>
#include <vector>

#include "ir/weights.h"
#include "models/gguf/gguf_storage.h"
#include "models/gguf/gguf_writer.h"

namespace lmc {

// A tensor to be written: `source` must outlive its writing.
struct GgufRows {
  const WeightSource& source;
  std::vector<std::string> names;  // in `source`: one, or those of a stack
  bool stack;
  GgufStorage how;  // of each
  const GgufFormat* format;

  std::vector<int64_t> shape() const;  // as stored
  // Stored rows [first, first + rows) in `format`. Blocks that the source has in it are kept as they are.
  void fill(int64_t first, int64_t rows, std::span<std::byte> out) const;

 private:
  std::vector<int64_t> shape_of_each() const;
  void fill_one(const std::string& name, int64_t first, int64_t rows, std::span<std::byte> out) const;
};

}  // namespace lmc
