#include "tools/generate/chat/history_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ir/descriptor.h"
#include "ir/files.h"
#include "models/text/json_text.h"
#include "tools/cli/console.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMostEntries = 1000;
constexpr size_t kLongestEntry = 64 << 10;
constexpr uintmax_t kCutAt = 1 << 20, kMostBytes = 64 << 20;

std::string entry_line(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string chat_history_file() {
  const auto folder = [](const char* variable) {
    const char* value = std::getenv(variable);
    return std::string(value && *value == '/' ? value : "");
  };
  if (const std::string state = folder("XDG_STATE_HOME"); !state.empty()) return state + "/lmc/chat_history";
  const std::string home = folder("HOME");
  return home.empty() ? "" : home + "/.local/state/lmc/chat_history";
}

HistoryFile::HistoryFile(std::string file) : file_(std::move(file)) {
  if (file_.empty()) return;
  const fs::path folder = fs::path(file_).parent_path();
  std::error_code ec;
  if (!folder.parent_path().empty()) fs::create_directories(folder.parent_path(), ec);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) give_up(std::strerror(errno));
}

std::vector<std::string> HistoryFile::load() {
  std::error_code ec;
  if (file_.empty() || !fs::exists(file_, ec)) return {};
  std::vector<std::string> out;
  try {
    const uintmax_t size = fs::file_size(file_);
    if (size > kMostBytes) throw Error("has more than 64 MB; delete it");
    std::istringstream in(read_file(file_));
    for (std::string line; std::getline(in, line);) {
      try {
        const nlohmann::json j = parse_json(line, file_);
        if (j.is_string() && !j.get_ref<const std::string&>().empty()) out.push_back(j.get<std::string>());
      } catch (const Error&) {
      }
    }
    if (out.size() > kMostEntries) out.erase(out.begin(), out.end() - kMostEntries);
    if (size <= kCutAt && out.size() < kMostEntries) return out;
    std::string kept;
    size_t first = out.size();
    while (first > 0 && kept.size() < kCutAt / 2 && out.size() - first < kMostEntries / 2)
      kept = entry_line(out[--first]) + kept;
    write_file(file_, kept, Access::own);
  } catch (const std::exception& e) {
    give_up(e.what());
  }
  return out;
}

void HistoryFile::add(const std::string& text) {
  if (file_.empty() || text.empty() || text[0] == ' ' || text.size() > kLongestEntry) return;
  const Descriptor out(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  const std::string line = entry_line(text);
  // One write: lines of several conversations do not mix.
  if (out.get() < 0 || ::write(out.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    give_up(std::strerror(errno));
}

void HistoryFile::give_up(const std::string& why) {
  info("what is typed is not kept in {}: {}", file_, why);
  file_.clear();
}

}  // namespace lmc
