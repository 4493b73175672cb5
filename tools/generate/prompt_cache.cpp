#include "tools/generate/prompt_cache.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "tools/cli/console.h"
#include "tools/system/files.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

// The file: a header, tokens, SHA-256 of these, what the caches hold, SHA-256 of all that. Numbers are
// little-endian, as everything on the machines there are kernels for.
constexpr std::string_view kMagic = "lmc prompt kv 1\n";
constexpr size_t kHash = 64;
constexpr const char* kSuffix = ".kv";

struct Header {
  char magic[16];
  char model[kHash];
  uint64_t tokens, bytes;
};
static_assert(sizeof(Header) == 96);

std::string hash_of(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

class StoredPrompt {
 public:
  explicit StoredPrompt(const std::string& path) : path_(path), file_(path) {
    const std::span<const std::byte> all = file_.bytes();
    if (all.size() < kMagic.size() || std::memcmp(all.data(), kMagic.data(), kMagic.size()) != 0)
      throw Error(path + ": is not a prompt cache of this version of lmc");
    if (all.size() < sizeof(Header) + 2 * kHash) damaged();
    std::memcpy(&header_, all.data(), sizeof(Header));
    const uint64_t rest = all.size() - sizeof(Header) - 2 * kHash;
    if (header_.tokens > rest / sizeof(int32_t) || header_.bytes != rest - header_.tokens * sizeof(int32_t))
      damaged();
    tokens_.resize(header_.tokens);
    if (!tokens_.empty())
      std::memcpy(tokens_.data(), all.data() + sizeof(Header), tokens_.size() * sizeof(int32_t));
    check_hash(sizeof(Header) + tokens_.size() * sizeof(int32_t));
  }

  std::string model() const { return {header_.model, kHash}; }
  const std::vector<int32_t>& tokens() const { return tokens_; }

  void resume(Session& session) const {
    const std::span<const std::byte> hashed = file_.bytes().first(file_.bytes().size() - kHash);
    check_hash(hashed.size());
    auto left = hashed.last(header_.bytes);
    session.resume(tokens_, [&](std::span<std::byte> piece) {
      if (piece.size() > left.size()) damaged();
      std::copy_n(left.begin(), piece.size(), piece.begin());
      left = left.subspan(piece.size());
    });
  }

 private:
  // Of the first `size` bytes, behind them.
  void check_hash(size_t size) const {
    const std::span<const std::byte> all = file_.bytes();
    if (std::memcmp(hash_of(all.first(size)).data(), all.data() + size, kHash) != 0) damaged();
  }

  [[noreturn]] void damaged() const {
    throw Error(path_ + ": is damaged; delete it, and it will be made again");
  }

  std::string path_;
  MappedFile file_;
  Header header_{};
  std::vector<int32_t> tokens_;
};

size_t common_beginning(std::span<const int32_t> a, std::span<const int32_t> b) {
  const size_t most = std::min(a.size(), b.size());
  return static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(most), b.begin()).first - a.begin());
}

// Writes under a temporary name, then puts it in place.
void write_prompt(const std::string& path, const std::string& model, Session& session) {
  const std::vector<int32_t>& tokens = session.tokens();
  const auto pieces = session.stored();
  Header header{};
  std::memcpy(header.magic, kMagic.data(), kMagic.size());
  std::memcpy(header.model, model.data(), kHash);
  header.tokens = tokens.size();
  for (const auto& p : pieces) header.bytes += p.size();

  NewFile file(path, Access::own);  // prompts are
  const uint64_t size = sizeof(Header) + tokens.size() * sizeof(int32_t) + header.bytes + 2 * kHash;
  OutputFile out(file.path(), static_cast<int64_t>(size));
  Sha256 head, all;
  int64_t at = 0;
  const auto write = [&](std::span<const std::byte> bytes) {
    all.update(bytes);
    out.write_at(at, bytes);
    at += static_cast<int64_t>(bytes.size());
  };
  for (const auto& bytes : {std::as_bytes(std::span(&header, 1)), std::as_bytes(std::span(tokens))}) {
    head.update(bytes);
    write(bytes);
  }
  const std::string head_hash = head.hex();
  write(std::as_bytes(std::span(head_hash)));
  for (const auto& p : pieces) write(p);
  const std::string hash = all.hex();
  out.write_at(at, std::as_bytes(std::span(hash)));
  out.close();
  file.put_in_place();
}

}  // namespace

PromptCache::PromptCache(std::string path, std::string model)
    : path_(std::move(path)), model_(std::move(model)) {
  std::error_code ec;
  folder_ = fs::is_directory(path_, ec);
  if (folder_ || fs::is_regular_file(path_, ec)) return;
  if (fs::exists(path_, ec)) throw Error(path_ + ": is neither a file nor a folder");
  const fs::path parent = fs::path(path_).parent_path();
  if (path_.ends_with('/') || (!parent.empty() && !fs::is_directory(parent, ec)))
    throw Error(path_ + ": there is no such folder for a prompt cache");
}

std::vector<std::string> PromptCache::candidates() const {
  std::error_code ec;
  if (!folder_) return fs::exists(path_, ec) ? std::vector{path_} : std::vector<std::string>{};
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(model_.substr(0, 16)) && name.ends_with(kSuffix)) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string PromptCache::file_for(std::span<const int32_t> tokens) const {
  if (!folder_) return path_;
  return path_ + "/" + model_.substr(0, 16) + "-" + hash_of(std::as_bytes(tokens)).substr(0, 16) + kSuffix;
}

int64_t PromptCache::load(Session& session, std::span<const int32_t> prompt) {
  session.reset();
  found_.clear();
  std::optional<StoredPrompt> best;
  for (const std::string& file : candidates()) {
    try {
      StoredPrompt stored(file);
      if (stored.model() != model_)
        throw Error(file + ": is of another bundle, or of this one before it was compiled again; delete it");
      const size_t common = common_beginning(stored.tokens(), prompt);
      if (common > (best ? common_beginning(best->tokens(), prompt) : 0)) best.emplace(std::move(stored));
    } catch (const Error& e) {
      if (!folder_) throw;
      info("{}", e.what());
    }
  }
  if (!best) return 0;
  try {
    best->resume(session);
  } catch (const Error& e) {
    if (!folder_) throw;
    info("{}", e.what());
    return 0;
  }
  const int64_t known = session.keep_prefix(prompt);
  if (known > 0) found_ = best->tokens();
  return known;
}

void PromptCache::save(Session& session) const {
  const std::vector<int32_t>& tokens = session.tokens();
  if (tokens.empty() || common_beginning(found_, tokens) == tokens.size()) return;
  const std::string file = file_for(tokens);
  try {
    write_prompt(file, model_, session);
    info("{} prompt tokens stored in {}", tokens.size(), file);
  } catch (const std::bad_alloc&) {
    info("the prompt is not stored: out of memory");
  } catch (const std::exception& e) {
    info("the prompt is not stored: {}", e.what());
  }
}

}  // namespace lmc
