// One safetensors file, memory-mapped and checked: https://github.com/huggingface/safetensors#format
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "ir/files.h"
#include "ir/type.h"

namespace lmc {

class SafetensorsFile {
 public:
  // Throws Error naming the file, and the tensor if one is at fault.
  explicit SafetensorsFile(const std::string& path);

  struct Tensor {
    std::string dtype;  // as the file says it: "BF16", "BOOL", …
    std::vector<int64_t> shape;
    int64_t offset = 0;  // bytes from the start of the file
    int64_t bytes = 0;
  };

  const std::string& path() const { return path_; }
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }

  // Elements [first, first + out.size()) widened to f32. The tensor must be F32, F16 or BF16 (else Error).
  void read(const std::string& name, int64_t first, std::span<float> out) const;
  // The bytes from `first` on, as they are.
  void read_bytes(const std::string& name, int64_t first, std::span<std::byte> out) const;

 private:
  void read_header();
  const Tensor& tensor(const std::string& name) const;

  std::string path_;
  MappedFile mapping_;
  const std::byte* data_;
  size_t size_;
  std::map<std::string, Tensor> tensors_;
};

// f32, f16 or bf16 for the dtypes that can be weights; nullopt for others.
std::optional<DType> safetensors_dtype(const std::string& name);

}  // namespace lmc
