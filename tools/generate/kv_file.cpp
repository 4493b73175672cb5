#include "tools/generate/kv_file.h"

#include <cstring>

#include "ir/error.h"
#include "tools/system/files.h"

namespace lmc {

std::string hash_of(std::initializer_list<std::span<const std::byte>> bytes) {
  Sha256 hash;
  for (const auto& b : bytes) hash.update(b);
  return hash.hex();
}

KvFile::KvFile(const std::string& path, std::string_view kind) : path_(path), file_(path) {
  const std::span<const std::byte> all = file_.bytes();
  if (all.size() < kind.size() || std::memcmp(all.data(), kind.data(), kind.size()) != 0)
    throw Error(path + ": is not a prompt cache of this version of lmc");
  if (all.size() < sizeof(Header) + 2 * kHashText) damaged();
  std::memcpy(&header_, all.data(), sizeof(Header));
  const uint64_t rest = all.size() - sizeof(Header) - 2 * kHashText;
  if (header_.tokens > rest / sizeof(int32_t) || header_.bytes != rest - header_.tokens * sizeof(int32_t))
    damaged();
  tokens_.resize(header_.tokens);
  if (!tokens_.empty())
    std::memcpy(tokens_.data(), all.data() + sizeof(Header), tokens_.size() * sizeof(int32_t));
  check_hash(sizeof(Header) + tokens_.size() * sizeof(int32_t));
}

std::string KvFile::origin() const { return {header_.origin, kHashText}; }

std::span<const std::byte> KvFile::held() const {
  const std::span<const std::byte> hashed = file_.bytes().first(file_.bytes().size() - kHashText);
  check_hash(hashed.size());
  return hashed.last(header_.bytes);
}

// Of the first `size` bytes, behind them.
void KvFile::check_hash(size_t size) const {
  const std::span<const std::byte> all = file_.bytes();
  if (std::memcmp(hash_of({all.first(size)}).data(), all.data() + size, kHashText) != 0) damaged();
}

void KvFile::damaged() const { throw Error(path_ + ": is damaged; delete it, and it will be made again"); }

void KvFile::write(const std::string& path, std::string_view kind, std::string_view origin,
                   std::span<const int32_t> tokens, std::span<const std::span<const std::byte>> held) {
  Header header{};
  std::memcpy(header.kind, kind.data(), sizeof header.kind);
  std::memcpy(header.origin, origin.data(), kHashText);
  header.tokens = tokens.size();
  for (const auto& p : held) header.bytes += p.size();

  NewFile file(path, Access::own);  // prompts are
  const uint64_t size = sizeof(Header) + tokens.size_bytes() + header.bytes + 2 * kHashText;
  OutputFile out(file.path(), static_cast<int64_t>(size));
  Sha256 all;
  int64_t at = 0;
  const auto write = [&](std::span<const std::byte> bytes) {
    all.update(bytes);
    out.write_at(at, bytes);
    at += static_cast<int64_t>(bytes.size());
  };
  const auto head = std::as_bytes(std::span(&header, 1));
  write(head);
  write(std::as_bytes(tokens));
  const std::string head_hash = hash_of({head, std::as_bytes(tokens)});
  write(std::as_bytes(std::span(head_hash)));
  for (const auto& p : held) write(p);
  const std::string hash = all.hex();
  out.write_at(at, std::as_bytes(std::span(hash)));
  out.close();
  file.put_in_place();
}

}  // namespace lmc
