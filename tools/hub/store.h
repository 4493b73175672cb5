// Writing into the hub cache so that a reader never sees half a file, and so that two programs that fill it
// (this one and huggingface_hub) do not get into each other's way.
#pragma once

#include <functional>
#include <string>

#include "ir/descriptor.h"

namespace lmc {

void make_folders(const std::string& path);  // Error naming the path

// Replaces the file in one step. Error naming the path.
void write_whole(const std::string& path, const std::string& content);

// Makes `path` a link to `blob`, relative, so that the cache may be moved. Error naming the path.
void link_to_blob(const std::string& path, const std::string& blob);

// The lock of one blob, in the file that huggingface_hub locks: CACHE/.locks/models--ORG--NAME/HASH.lock.
class BlobLock {
 public:
  // Waits while another holds it; Interrupted when `cancelled` says so. Error naming the file.
  BlobLock(const std::string& path, const std::function<bool()>& cancelled);

 private:
  Descriptor fd_;
};

}  // namespace lmc
