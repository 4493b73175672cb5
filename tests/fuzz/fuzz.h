// What the fuzz targets share.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace lmc::fuzz {

inline std::string_view text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Inputs of several parts: what stands between the zero bytes, which no text of a user holds.
inline std::vector<std::string> parts(const uint8_t* data, size_t size) {
  std::vector<std::string> out;
  const std::string_view all = text(data, size);
  for (size_t at = 0; at <= all.size();) {
    const size_t end = std::min(all.find('\0', at), all.size());
    out.emplace_back(all.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// Values one after the other, of what has no text form; zeros behind the end.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : at_(data), left_(size) {}
  template <class T>
  T take() {
    T out{};
    const size_t n = std::min(sizeof out, left_);
    std::memcpy(&out, at_, n);
    at_ += n;
    left_ -= n;
    return out;
  }
  size_t left() const { return left_; }

 private:
  const uint8_t* at_;
  size_t left_;
};

// Set by a target that took an input. Seeds named good-… must be taken: those of a format that has changed
// since reach nothing any more, and nobody would notice.
inline bool accepted = false;

// A finding: ends the process, so that fuzzer and replay notice.
inline void require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// The input as a file that lives in memory, for what is opened by its path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : fd_(::memfd_create("input", MFD_CLOEXEC)) {
    require(fd_ >= 0 && ::write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
            "cannot make a file in memory");
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace lmc::fuzz
