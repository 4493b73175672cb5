// Files as bundles and downloads need them, beside ir/files.h: hashed, on the disk itself, written by several
// threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "ir/descriptor.h"
#include "ir/files.h"

namespace lmc {

void sync_file(const std::string& path);              // a folder too: to the disk itself
std::string sha256_of_file(const std::string& path);  // hex

// The hash of bytes that come piece by piece; `algorithm` as OpenSSL calls it.
class Digest {
 public:
  explicit Digest(const char* algorithm);
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void update(std::span<const std::byte> bytes);
  std::string hex();  // once, after the last piece

 private:
  void* context_;
};

struct Sha256 : Digest {
  Sha256() : Digest("SHA256") {}
};

// A file open for writing at any place, from several threads.
class OutputFile {
 public:
  OutputFile(const std::string& path, int64_t size);  // reserves the space: a full disk is noticed here
  void write_at(int64_t offset, std::span<const std::byte> bytes);
  // Has the system begin to bring to the disk what was written there, so that sync_file() need not wait for
  // all.
  void start_sync(int64_t offset, int64_t bytes);
  void close();

 private:
  std::string path_;
  Descriptor fd_;
};

}  // namespace lmc
