// Files as lmc uses them: read whole, mapped, hashed, and written so that a failure is noticed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace lmc {

std::string read_file(const std::string& path);  // Error naming the path
// All of it or nothing: what was there stays until all is written. Error naming path and reason.
void write_file(const std::string& path, const std::string& content);
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
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  void write_at(int64_t offset, std::span<const std::byte> bytes);
  // Has the system begin to bring to the disk what was written there, so that sync_file() need not wait for
  // all.
  void start_sync(int64_t offset, int64_t bytes);
  void close();

 private:
  std::string path_;
  int fd_;
};

// A whole file mapped read-only.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& o) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace lmc
