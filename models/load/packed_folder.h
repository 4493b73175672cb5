// A Hugging Face folder some of whose matrices are kept in other ways than as F32, F16 or BF16, most of them
// in several tensors: MXFP4, fp8, AWQ, GPTQ. Here each is one tensor of ordinary numbers, under the name that
// it has where nothing is packed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/checkpoint/hf_folder.h"

namespace lmc {

// A matrix kept in another way.
class PackedTensor {
 public:
  virtual ~PackedTensor() = default;
  virtual Type type() const = 0;           // of its numbers: f32, or bf16 if that holds all of them
  virtual std::string format() const = 0;  // "MXFP4"
  virtual std::vector<std::string> parts() const = 0;  // tensors of the file; the first has the numbers
  // Elements [first, first + out.size()), row-major.
  virtual void read(int64_t first, std::span<float> out) const = 0;
  // WeightSource::stored_format and ::read_blocks, not transposed.
  virtual std::optional<WeightSource::StoredFormat> stored_format() const { return std::nullopt; }
  virtual bool read_blocks(DType, int64_t /*first*/, int64_t /*rows*/, std::span<std::byte>) const {
    return false;
  }
};

// The tensor that `stored` begins and what it is called, if it is kept so; null if it is not. Error, naming
// file and tensor, where the parts do not fit. One file each under packings/.
struct FoundPacking {
  std::string name;
  std::unique_ptr<PackedTensor> tensor;
};
using FindPacked = FoundPacking (*)(const HfFolder& folder, const std::string& stored);
struct RegisterPacking {
  explicit RegisterPacking(FindPacked find);
};

class PackedFolder : public HfFolder {
 public:
  // Throws Error as HfFolder does, and for a quantization_config (config.json) of another kind than these.
  explicit PackedFolder(const std::string& folder);

  std::optional<Type> type(const std::string& name) const override;
  void read(const std::string& name, int64_t first, std::span<float> out) const override;
  std::optional<StoredFormat> stored_format(const std::string& name) const override;
  bool read_blocks(const std::string& name, bool transposed, DType format, int64_t first, int64_t rows,
                   std::span<std::byte> out) const override;

  std::vector<std::string> names() const override;
  std::string shape_text(const std::string& name) const override;
  std::string file_of(const std::string& name) const override;

 private:
  const PackedTensor* packed(const std::string& name) const;

  std::map<std::string, std::unique_ptr<PackedTensor>> packed_;
};

}  // namespace lmc
