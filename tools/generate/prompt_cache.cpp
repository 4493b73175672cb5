#include "tools/generate/prompt_cache.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "tools/cli/console.h"
#include "tools/generate/kv_file.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kKind = "lmc prompt kv 1\n";
constexpr const char* kSuffix = ".kv";

void resume(Session& session, const KvFile& stored) {
  auto left = stored.held();
  session.resume(stored.tokens(), [&](std::span<std::byte> piece) {
    if (piece.size() > left.size()) stored.damaged();
    std::copy_n(left.begin(), piece.size(), piece.begin());
    left = left.subspan(piece.size());
  });
}

size_t common_beginning(std::span<const int32_t> a, std::span<const int32_t> b) {
  const size_t most = std::min(a.size(), b.size());
  return static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(most), b.begin()).first - a.begin());
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
  return path_ + "/" + model_.substr(0, 16) + "-" + hash_of({std::as_bytes(tokens)}).substr(0, 16) + kSuffix;
}

int64_t PromptCache::load(Session& session, std::span<const int32_t> prompt) {
  session.reset();
  found_.clear();
  std::optional<KvFile> best;
  for (const std::string& file : candidates()) {
    try {
      KvFile stored(file, kKind);
      if (stored.origin() != model_)
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
    resume(session, *best);
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
    const auto pieces = session.stored();
    const std::vector<std::span<const std::byte>> held(pieces.begin(), pieces.end());
    KvFile::write(file, kKind, model_, tokens, held);
    info("{} prompt tokens stored in {}", tokens.size(), file);
  } catch (const std::bad_alloc&) {
    info("the prompt is not stored: out of memory");
  } catch (const std::exception& e) {
    info("the prompt is not stored: {}", e.what());
  }
}

}  // namespace lmc
