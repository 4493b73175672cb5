// A whole file mapped read-only, as checkpoints are.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lmc {

class Mapping {
 public:
  // Throws Error naming the path: it cannot be opened, is no regular file, or is empty.
  explicit Mapping(const std::string& path);
  ~Mapping();
  Mapping(Mapping&& o) noexcept;
  Mapping& operator=(Mapping&&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace lmc
