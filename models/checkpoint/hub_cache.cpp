#include "models/checkpoint/hub_cache.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "ir/error.h"
#include "models/checkpoint/shard_index.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The hub's own rule; "--" is what separates the parts in the cache.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 96 && text.find("--") == text.npos && text.find("..") == text.npos &&
         is_word(text.front()) && is_word(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_word(c) || c == '-' || c == '.'; });
}

bool ends_like_a_file(std::string_view name) {
  for (const char* end : {".yaml", ".yml", ".json", ".gguf", ".safetensors", ".lmir", ".lmc"}) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

// A variable that names a folder, "~/" at its start being the home folder; "" if it is not set.
std::string folder_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string out = value ? value : "";
  const char* home = std::getenv("HOME");
  if (home && (out == "~" || out.starts_with("~/"))) out = home + out.substr(1);
  return out;
}

// The commit of a revision, or "" if the cache knows none.
std::string commit_of(const HubRepository& repository, const std::string& revision) {
  std::error_code ec;
  if (is_commit_hash(revision)) return fs::is_directory(repository.snapshot(revision), ec) ? revision : "";
  const std::string path = repository.ref(revision);
  if (!fs::is_regular_file(path, ec)) return "";
  std::string commit = start_of_file(path, 64);
  commit.erase(std::find_if(commit.begin(), commit.end(), [](unsigned char c) { return std::isspace(c); }),
               commit.end());
  if (!is_commit_hash(commit)) throw Error(path + ": holds no commit, which is 40 hexadecimal digits");
  return commit;
}

// What a checkpoint must have and this folder does not, with the reason: a link whose blob is gone counts.
std::string lacking(const std::string& folder) {
  const auto there = [&](const std::string& name) {
    std::error_code ec;
    return fs::is_regular_file(folder + "/" + name, ec);
  };
  if (!there("config.json")) return "config.json";
  if (there("model.safetensors")) return "";
  const std::string index = "model.safetensors.index.json";
  if (!there(index)) return "model.safetensors, and " + index + " as well";
  std::string first;
  size_t more = 0;
  for (const std::string& shard : shards_of_index(folder + "/" + index)) {
    if (there(shard)) continue;
    first.empty() ? void(first = shard) : void(++more);
  }
  if (first.empty()) return "";
  return first + (more > 0 ? " and " + std::to_string(more) + " more" : "") + ", which its index names";
}

// Those that can be named, in order.
std::vector<std::string> gguf_files(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(folder, ec)) {
    const std::string name = entry.path().filename().string();
    if (is_gguf_to_name(name) && fs::is_regular_file(entry.path(), ec)) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// `instead` comes in front of the message that there is no snapshot.
std::string find_snapshot(const HubId& id, const std::string& instead) {
  const std::string cache = hub_cache_folder();
  const HubRepository repository(cache, id);
  const std::string commit = commit_of(repository, id.revision);
  if (commit.empty()) {
    const std::string revision = id.revision == "main" ? "" : ", revision " + id.revision + ",";
    throw Error(instead + id.repository() + revision + " is not in the hub cache (" + cache +
                "); fetch it with: " + id.pull_command());
  }
  const std::string folder = repository.snapshot(commit);
  const std::string what = lacking(folder);
  if (what.empty()) return folder;
  const std::vector<std::string> files = gguf_files(folder);
  if (files.size() == 1) return folder + "/" + files[0];
  if (files.empty())
    throw Error(folder + ": lacks " + what + "; fetch what is missing with: " + id.pull_command());
  std::string all;
  for (const std::string& f : files) all += (all.empty() ? "" : ", ") + f;
  throw Error(folder + ": has several GGUF files; name one of them with its folder: " + all);
}

}  // namespace

std::pair<std::string, std::string> gguf_part_name(const std::string& file) {
  constexpr size_t kEnding = std::string_view("-00001-of-00003.gguf").size();
  if (file.size() <= kEnding) return {};
  const std::string end = file.substr(file.size() - kEnding);
  const auto digits = [&](size_t at) {
    return std::all_of(end.begin() + static_cast<long>(at), end.begin() + static_cast<long>(at) + 5,
                       [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  if (end[0] != '-' || end.substr(6, 4) != "-of-" || !end.ends_with(".gguf") || !digits(1) || !digits(10))
    return {};
  return {file.substr(0, file.size() - kEnding + 1), end.substr(6)};
}

bool is_gguf_to_name(const std::string& file) {
  if (!file.ends_with(".gguf")) return false;
  const auto [start, end] = gguf_part_name(file);
  return start.empty() || file == start + "00001" + end;
}

std::string HubId::pull_command() const {
  return "lmc pull " + repository() + (revision == "main" ? "" : " --revision " + revision);
}

std::optional<HubId> parse_hub_id(std::string_view text) {
  HubId id;
  if (const size_t at = text.find('@'); at != text.npos) {
    if (!is_revision(text.substr(at + 1))) return std::nullopt;
    id.revision = text.substr(at + 1);
    text = text.substr(0, at);
  }
  const size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  id.org = text.substr(0, slash);
  id.name = text.substr(slash + 1);
  if (!is_name(id.org) || !is_name(id.name) || ends_like_a_file(id.name)) return std::nullopt;
  return id;
}

bool is_revision(std::string_view text) {
  if (text.empty() || text.size() > 200 || text.find("..") != text.npos || text.find("//") != text.npos)
    return false;
  const auto allowed = [](char c) { return is_word(c) || c == '-' || c == '.' || c == '/' || c == '+'; };
  return is_word(text.front()) && text.back() != '/' && std::all_of(text.begin(), text.end(), allowed);
}

bool is_commit_hash(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string hub_home() {
  if (const std::string own = folder_variable("HF_HOME"); !own.empty()) return own;
  if (const std::string xdg = folder_variable("XDG_CACHE_HOME"); !xdg.empty()) return xdg + "/huggingface";
  if (const std::string home = folder_variable("HOME"); !home.empty()) return home + "/.cache/huggingface";
  throw Error("no folder for the hub cache: set HF_HUB_CACHE, HF_HOME or HOME");
}

std::string hub_cache_folder() {
  const std::string own = folder_variable("HF_HUB_CACHE");
  return own.empty() ? hub_home() + "/hub" : own;
}

HubRepository::HubRepository(const std::string& cache, const HubId& id)
    : folder(cache + "/models--" + id.org + "--" + id.name) {}

std::string hub_snapshot(const HubId& id) { return find_snapshot(id, ""); }

std::string local_checkpoint(const std::string& path) {
  std::error_code ec;
  if (fs::exists(path, ec)) return path;
  const auto id = parse_hub_id(path);
  return id ? find_snapshot(*id, path + ": no such file or folder, and ") : path;
}

}  // namespace lmc
