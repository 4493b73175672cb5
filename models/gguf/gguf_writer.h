// Writes a GGUF file (version 3): metadata and tensors are announced, then streamed row by row.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/gguf/gguf.h"

namespace lmc {

class GgufWriter {
 public:
  void add(const std::string& key, uint32_t value);
  void add(const std::string& key, int32_t value);
  void add(const std::string& key, float value);
  void add(const std::string& key, bool value);
  void add(const std::string& key, std::string_view value);
  void add(const std::string& key, const std::vector<std::string>& values);
  void add(const std::string& key, const std::vector<float>& values);
  void add(const std::string& key, const std::vector<int32_t>& values);
  void add_stored(const std::string& key, std::string_view stored);  // GgufValue::stored of another file

  // `fill` gets row numbers and room for their stored bytes.
  using Fill = std::function<void(int64_t first, int64_t rows, std::span<std::byte> out)>;
  void add_tensor(const std::string& name, const GgufFormat& format, const std::vector<int64_t>& shape,
                  Fill fill);

  // Writes everything. `progress` gets bytes done and in all; what it throws ends the writing. Throws Error
  // naming the path if it cannot be written.
  void write(const std::string& path, const std::function<void(int64_t done, int64_t total)>& progress) const;

 private:
  struct Tensor {
    std::string name;
    const GgufFormat* format;
    std::vector<int64_t> shape;
    int64_t rows, row_bytes;
    Fill fill;
  };
  std::string header() const;

  std::map<std::string, std::string> metadata_;  // type and value as stored
  std::vector<Tensor> tensors_;
};

// `out` gets numbers [0, x.size()) in a format that can be written (those of ir/block_format.h; whole
// blocks).
void encode_gguf(const GgufFormat& format, std::span<const float> x, std::byte* out);

}  // namespace lmc
