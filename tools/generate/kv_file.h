// What tokens left in a KV cache, in a file that says so: whole, or refused.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/files.h"

namespace lmc {

inline constexpr size_t kHashText = 64;  // characters of a SHA-256

// The hash of all these, one behind the other.
std::string hash_of(std::initializer_list<std::span<const std::byte>> bytes);

// The file: a header, tokens, SHA-256 of these, what the caches hold, SHA-256 of all that. Numbers are
// little-endian, as everything on the machines there are kernels for.
class KvFile {
 public:
  // Reads all but what the caches hold. Error for another kind of file, or a damaged one; `kind`: its first
  // 16 characters.
  KvFile(const std::string& path, std::string_view kind);

  std::string origin() const;  // kHashText characters: what the tokens go on from
  const std::vector<int32_t>& tokens() const { return tokens_; }
  uint64_t held_bytes() const { return header_.bytes; }
  // What the caches hold. Error if that is damaged.
  std::span<const std::byte> held() const;
  [[noreturn]] void damaged() const;

  // Writes under a temporary name, then puts it in place; nobody else may read it.
  static void write(const std::string& path, std::string_view kind, std::string_view origin,
                    std::span<const int32_t> tokens, std::span<const std::span<const std::byte>> held);

 private:
  struct Header {
    char kind[16];
    char origin[kHashText];
    uint64_t tokens, bytes;
  };
  static_assert(sizeof(Header) == 96);

  void check_hash(size_t size) const;

  std::string path_;
  MappedFile file_;
  Header header_{};
  std::vector<int32_t> tokens_;
};

}  // namespace lmc
