// A Hugging Face folder some of whose matrices are in MXFP4, two tensors for each: NAME_blocks, U8 [..,
// groups, 16], and NAME_scales, U8 [.., groups]. They are one tensor here, NAME, in bf16, which holds all its
// numbers: 2^(scale - 127) times 32 numbers of four bits, lanes 2i and 2i + 1 in byte i, the lower half
// first.
#pragma once

#include "models/checkpoint/hf_folder.h"

namespace lmc {

class Mxfp4Folder : public HfFolder {
 public:
  // Throws Error as HfFolder does.
  explicit Mxfp4Folder(const std::string& folder);

  std::optional<Type> type(const std::string& name) const override;
  void read(const std::string& name, int64_t first, std::span<float> out) const override;
  std::optional<StoredFormat> stored_format(const std::string& name) const override;
  bool read_blocks(const std::string& name, bool transposed, DType format, int64_t first, int64_t rows,
                   std::span<std::byte> out) const override;

  std::vector<std::string> names() const override;
  std::string shape_text(const std::string& name) const override;
  std::string file_of(const std::string& name) const override;

 private:
  // Blocks [first, first + count) as GGUF stores them.
  std::vector<std::byte> blocks(const std::string& name, int64_t first, int64_t count) const;

  std::map<std::string, Type> packed_;
};

}  // namespace lmc
