// The tensors of a GGUF file under the names, and in the form, of the checkpoint they were made from.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ir/weights.h"
#include "models/gguf/gguf.h"
#include "models/gguf/gguf_storage.h"

namespace lmc {

class GgufWeights : public WeightSource {
 public:
  explicit GgufWeights(std::shared_ptr<const GgufFile> file) : file_(std::move(file)) {}

  // `name` stands for the tensor `stored` of the file, if there is one. Throws Error if it cannot be stored
  // like that.
  void add(const std::string& name, const std::string& stored, const GgufStorage& how);
  // The same of matrices that the file has as one tensor, one behind the other.
  void add_stack(const std::vector<std::string>& names, const std::string& stored, const GgufStorage& how);

  const GgufFile& file() const { return *file_; }

  // Quantised formats read as f32.
  std::optional<Type> type(const std::string& name) const override;
  void read(const std::string& name, int64_t first, std::span<float> out) const override;
  bool read_transposed(const std::string& name, int64_t first, std::span<float> out) const override;
  std::optional<StoredFormat> stored_format(const std::string& name) const override;
  bool read_blocks(const std::string& name, bool transposed, DType format, int64_t first, int64_t rows,
                   std::span<std::byte> out) const override;

 private:
  struct Entry {
    std::string stored;
    const GgufFile::Tensor* tensor;
    GgufStorage how;
    Type type;
    int64_t first_row, rows;  // as stored: all rows but of one of a stack
  };
  void add_rows(const std::string& name, Entry e);
  const Entry& entry(const std::string& name) const;
  void check_range(const Entry& e, int64_t first, size_t count) const;
  void read_stored(const Entry& e, int64_t first, std::span<float> out) const;
  void read_columns(const Entry& e, int64_t first, std::span<float> out) const;
  void read_vector(const Entry& e, int64_t first, std::span<float> out) const;

  std::shared_ptr<const GgufFile> file_;
  std::map<std::string, Entry> entries_;
};

}  // namespace lmc
