// A Hugging Face folder: config.json and one or several safetensors files.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/weights.h"
#include "models/checkpoint/safetensors.h"

namespace lmc {

class HfFolder : public WeightSource {
 public:
  // Opens model.safetensors or the shards of model.safetensors.index.json. Throws Error naming what is
  // missing.
  explicit HfFolder(const std::string& folder);

  // Error for a tensor whose dtype no weight has.
  std::optional<Type> type(const std::string& name) const override;
  void read(const std::string& name, int64_t first, std::span<float> out) const override;
  bool read_blocks(const std::string& name, bool transposed, DType format, int64_t first, int64_t rows,
                   std::span<std::byte> out) const override;

  virtual std::vector<std::string> names() const;
  bool holds(const std::string& name) const { return file_of_.contains(name); }  // a tensor of the file
  const SafetensorsFile::Tensor& stored(const std::string& name) const;          // must exist
  // As the checkpoint says it, for tensors that are no weights: "BOOL[1,1,64,64]".
  virtual std::string shape_text(const std::string& name) const;
  virtual std::string file_of(const std::string& name) const;
  // Bytes of a tensor of any dtype from `first` on, as they are.
  void read_bytes(const std::string& name, int64_t first, std::span<std::byte> out) const;

 private:
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, size_t> file_of_;
};

}  // namespace lmc
