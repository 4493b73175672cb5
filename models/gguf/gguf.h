// A GGUF file, memory-mapped and checked: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
// Versions 2 and 3, little-endian. One that gguf-split cut into parts, NAME-00001-of-00003.gguf and so on, is
// read by the name of the first: its metadata hold for all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/files.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc {

enum class GgufType : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

// A value of the metadata as it lies in the file.
struct GgufValue {
  GgufType type = GgufType::u8;
  GgufType element = GgufType::u8;  // of an array
  uint64_t count = 1;               // elements of an array
  std::string_view bytes;           // the number, the text, or all of an array's elements
  std::string_view stored;          // type and value, to copy it as it is

  // nullopt if it is of another kind (whole numbers are reals too, truth values are 0 and 1).
  std::optional<int64_t> integer() const;
  std::optional<double> real() const;
  std::optional<std::string_view> text() const;
  // Elements of an array; nullopt if they are of another kind.
  std::optional<std::vector<int64_t>> integers() const;
  std::optional<std::vector<double>> reals() const;
  std::optional<std::vector<std::string_view>> texts() const;
};

// The decimal number that an f32 was written from: 1e-05 and not 9.99999974737875e-06.
double decimal(float f);

class GgufFile {
 public:
  // Throws Error naming the file, and the key or the tensor that is at fault.
  explicit GgufFile(const std::string& path);

  struct Tensor {
    const GgufFormat* format = nullptr;
    std::vector<int64_t> shape;  // the slowest dimension first (the file has it last)
    size_t part = 0;             // of a file in several
    int64_t offset = 0;          // bytes from its start
    int64_t bytes = 0;

    int64_t columns() const { return shape.empty() ? 1 : shape.back(); }
    int64_t rows() const;
    std::string type_text() const;  // "Q8_0[768,2304]"
  };

  const std::string& path() const { return path_; }
  size_t parts() const { return mappings_.size(); }
  uint32_t version() const { return version_; }
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }
  const std::map<std::string, GgufValue>& metadata() const { return metadata_; }
  const GgufValue* find(const std::string& key) const;
  // general.architecture. Throws Error if there is none.
  std::string architecture() const;

  // The stored bytes of a row.
  std::span<const std::byte> row(const Tensor& t, int64_t r) const;
  // Columns [first, first + out.size()) of a row, widened to f32.
  void read_row(const Tensor& t, int64_t r, int64_t first, std::span<float> out) const;

 private:
  class Reader;
  struct Alone {};
  GgufFile(const std::string& path, Alone);  // whatever it says of other parts
  void add_parts();
  void add_part(int64_t no, int64_t count);

  std::string path_;
  std::vector<MappedFile> mappings_;
  uint32_t version_ = 0;
  std::map<std::string, GgufValue> metadata_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace lmc
