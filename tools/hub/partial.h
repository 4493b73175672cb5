// A blob on its way: BLOB.incomplete, which a later attempt continues, and its hash so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "ir/descriptor.h"
#include "tools/hub/hub.h"
#include "tools/system/files.h"

namespace lmc {

class PartialBlob {
 public:
  // Takes over what an earlier call left, unless that is longer than the file. Errors name the file.
  PartialBlob(std::string blob, const RemoteFile& file);

  int64_t size() const { return size_; }
  bool complete() const { return size_ == file_.size; }
  void append(std::span<const std::byte> bytes);  // Error for more than the file has
  void restart();                                 // from its first byte
  // Complete: takes its place as the blob, or is thrown away (false) if its hash is not the file's.
  bool finish();

 private:
  void hash_what_is_there();

  std::string blob_, path_;
  const RemoteFile& file_;
  Descriptor fd_;
  int64_t size_ = 0;
  std::unique_ptr<Digest> digest_;
};

}  // namespace lmc
