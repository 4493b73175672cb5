#include "tools/generate/page_store.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <vector>

#include "ir/cache_layout.h"
#include "ir/error.h"
#include "tools/cli/console.h"
#include "tools/generate/kv_file.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

// A KvFile whose tokens are a page's; its origin is the name of the page before it, or the root's. The caches
// hold what everyone sees, then, unless it was dropped, what windows see.
constexpr std::string_view kPageKind = "lmc prompt pg 1\n";
constexpr const char* kPageSuffix = ".page";
constexpr size_t kMostFiles = 1 << 18;
constexpr auto kPage = static_cast<size_t>(kCachePage);

std::span<const std::byte> bytes_of(std::string_view s) { return std::as_bytes(std::span(s)); }

// A page's name follows from all tokens up to its last and from the model: whoever has the name has the page.
std::string name_of(std::string_view origin, std::span<const int32_t> tokens) {
  return hash_of({bytes_of(origin), std::as_bytes(tokens)});
}

}  // namespace

PageStore::PageStore(std::string folder, std::string model)
    : folder_(std::move(folder)), model_(std::move(model)) {
  std::error_code ec;
  if (!fs::is_directory(folder_, ec)) throw Error(folder_ + ": there is no such folder for a prompt cache");
}

std::string PageStore::root(bool beyond) const {
  return hash_of({bytes_of(model_), bytes_of(beyond ? "beyond" : "within")});
}

std::string PageStore::file_for(std::string_view name) const {
  return folder_ + "/" + model_.substr(0, 16) + "-" + std::string(name) + kPageSuffix;
}

namespace {

struct File {
  std::string path;
  fs::file_time_type used;
  int64_t bytes;
};

// Of the model whose files begin so; the last used first.
std::vector<File> files_of(const std::string& folder, const std::string& beginning) {
  std::vector<File> out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; it != end && out.size() < kMostFiles; it.increment(ec)) {
    const std::string name = it->path().filename();
    if (!name.starts_with(beginning) || !name.ends_with(kPageSuffix) || !it->is_regular_file(ec)) continue;
    const fs::file_time_type used = it->last_write_time(ec);
    const auto bytes = static_cast<int64_t>(it->file_size(ec));
    if (!ec) out.push_back({it->path(), used, bytes});
  }
  std::stable_sort(out.begin(), out.end(), [](const File& a, const File& b) { return a.used > b.used; });
  return out;
}

}  // namespace

int64_t PageStore::load(Batcher& batcher) const {
  std::multimap<std::string, std::string> behind;  // files by the page before theirs
  for (const File& file : files_of(folder_, model_.substr(0, 16))) {
    try {
      const KvFile page(file.path, kPageKind);
      if (page.tokens().size() != kPage || file.path != file_for(name_of(page.origin(), page.tokens())))
        page.damaged();
      behind.emplace(page.origin(), file.path);
    } catch (const Error& e) {
      info("{}", e.what());
    }
  }
  struct Text {
    std::string name;  // of its last page
    bool beyond;
    std::vector<int32_t> tokens;
  };
  std::deque<Text> ahead = {{root(false), false, {}}, {root(true), true, {}}};
  int64_t kept = 0;
  for (; !ahead.empty(); ahead.pop_front()) {
    const Text& text = ahead.front();
    const auto [first, last] = behind.equal_range(text.name);
    for (auto it = first; it != last; ++it) {
      try {
        const KvFile page(it->second, kPageKind);
        Text next{name_of(page.origin(), page.tokens()), text.beyond, text.tokens};
        next.tokens.insert(next.tokens.end(), page.tokens().begin(), page.tokens().end());
        const auto held = page.held();
        if (!batcher.keep(next.tokens, next.beyond, held)) continue;
        ++kept;
        ahead.push_back(std::move(next));
      } catch (const Error& e) {
        info("{}", e.what());
      }
    }
  }
  return kept;
}

void PageStore::save(const Batcher& batcher) const {
  std::vector<std::string> names;  // by depth, of the text at hand: a page's needs that of the page before it
  std::vector<std::pair<uint64_t, std::string>> kept;
  int64_t written = 0;
  try {
    batcher.for_each_kept([&](const Batcher::KeptPage& page) {
      names.resize(page.tokens.size() / kPage - 1);
      const std::string origin = names.empty() ? root(page.beyond) : names.back();
      const auto tokens = page.tokens.last(kPage);
      names.push_back(name_of(origin, tokens));
      const std::string path = file_for(names.back());
      kept.emplace_back(page.used, path);
      std::error_code ec;
      // What lacks windows is written again once they are there.
      const uint64_t there = fs::file_size(path, ec);
      if (!ec && there >= page.lasting.size() + page.windowed.size()) return;
      KvFile::write(path, kPageKind, origin, tokens, std::vector{page.lasting, page.windowed});
      ++written;
    });
  } catch (const std::exception& e) {
    info("prompts are not stored: {}", e.what());
  }
  // Files tell by their times what was used last; a page before those behind it.
  std::stable_sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  fs::file_time_type time = fs::file_time_type::clock::now();
  for (const auto& [used, path] : kept) {
    std::error_code ec;
    fs::last_write_time(path, time -= std::chrono::microseconds(1), ec);
  }
  delete_oldest(batcher.stats().most_bytes);
  if (written > 0) info("{} pages of prompts stored in {}", written, folder_);
}

void PageStore::delete_oldest(int64_t most_bytes) const {
  int64_t bytes = 0;
  for (const File& file : files_of(folder_, model_.substr(0, 16))) {
    bytes += file.bytes;
    std::error_code ec;
    if (bytes > most_bytes) fs::remove(file.path, ec);
  }
}

}  // namespace lmc
