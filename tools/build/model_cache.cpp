#include "tools/build/model_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <span>

#include "ir/files.h"
#include "models/checkpoint/hub_cache.h"
#include "models/checkpoint/path_kind.h"
#include "models/text/json_text.h"
#include "tools/cli/console.h"
#include "tools/describe/version.h"
#include "tools/machine/native_target.h"
#include "tools/system/cache_folder.h"
#include "tools/system/child.h"
#include "tools/system/files.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSource = "source.json";
constexpr const char* kBundle = "bundle.lmc";

// What a checkpoint is made of: the parts of a GGUF file, the files of a folder.
std::vector<fs::path> files_of(const fs::path& checkpoint) {
  if (!fs::is_directory(checkpoint)) {
    const std::string name = checkpoint.filename().string();
    const auto [start, end] = gguf_part_name(name);
    if (start.empty()) return {checkpoint};
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(checkpoint.parent_path())) {
      if (gguf_part_name(entry.path().filename().string()) == std::pair(start, end))
        out.push_back(entry.path());
    }
    return out;
  }
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(checkpoint)) {
    if (entry.is_regular_file()) out.push_back(entry.path());
  }
  return out;
}

std::string key_of(const fs::path& checkpoint) {
  std::vector<fs::path> files = files_of(checkpoint);
  std::sort(files.begin(), files.end());
  std::string text = version_text() + "\n" + native_target() + "\n";
  for (const fs::path& f : files) {
    struct stat info {};
    if (::stat(f.c_str(), &info) != 0) continue;
    text += fmt::format("{}\n{} {}.{:09}\n", fs::weakly_canonical(f).string(), info.st_size,
                        info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.hex().substr(0, 16);
}

// Of a file or a folder, as the name of a bundle: no more than letters, digits, '.', '_' and '-'.
std::string name_of(const std::string& given, const fs::path& checkpoint) {
  std::error_code ec;
  const auto id = fs::exists(given, ec) ? std::nullopt : parse_hub_id(given);
  std::string name = id                             ? id->name
                     : fs::is_directory(checkpoint) ? checkpoint.filename().string()
                                                    : checkpoint.stem().string();
  for (char& c : name) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!fine) c = '_';
  }
  return name.substr(0, 64);
}

// "" where there is no cache.
std::string models_folder() {
  const std::string cache = cache_folder();
  return cache.empty() ? "" : cache + "/models";
}

void make_own_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    throw Error(path + ": cannot make this folder: " + std::strerror(errno));
  if (const std::string why = others_may_write(path); !why.empty())
    throw Error(path + ": " + why + ", and a bundle is a program; remove it, or chmod go-w it");
}

std::string source_in(const std::string& folder) {
  try {
    const auto json = read_json(folder + "/" + kSource);
    const auto it = json.find("source");
    return it != json.end() && it->is_string() ? it->get<std::string>() : "";
  } catch (const Error&) {
    return "";
  }
}

int64_t bytes_below(const std::string& folder) {
  int64_t sum = 0;
  std::error_code ec;
  for (auto it = fs::recursive_directory_iterator(folder, ec);
       !ec && it != fs::recursive_directory_iterator(); it.increment(ec)) {
    std::error_code of_file;
    if (const auto size = it->file_size(of_file); !of_file) sum += static_cast<int64_t>(size);
  }
  return sum;
}

void compile(const std::string& source, const std::string& folder) {
  info("compiling {} once; it is kept as {} (lmc list, lmc rm)", source,
       fs::path(folder).filename().string());
  make_own_folder(folder);
  try {
    std::vector<std::string> arguments = {"compile", source, "-o", folder + "/" + kBundle};
    if (log_is_silent()) arguments.push_back("--quiet");
    run_lmc(arguments, ChildSays::all);
  } catch (...) {
    std::error_code ec;
    fs::remove(folder, ec);  // unless another process has made it meanwhile
    throw;
  }
  const nlohmann::json what = {{"source", source}};
  write_file(folder + "/" + kSource,
             what.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n", Access::own);
  for (const CachedModel& m : cached_models()) {
    if (m.source == source && m.folder != folder) remove_cached(m);
  }
}

bool is_checkpoint(const std::string& path) {
  const PathKind kind = path_kind(path);
  return kind == PathKind::gguf || kind == PathKind::checkpoint;
}

}  // namespace

std::string bundle_of(const std::string& given) {
  const std::string found = local_checkpoint(given);
  std::error_code ec;
  if (!is_checkpoint(found) || !fs::exists(found, ec)) return given;
  const fs::path checkpoint = fs::canonical(found);
  const std::string models = models_folder();
  if (models.empty()) {
    throw Error(given + ": is a checkpoint, and there is no folder to keep its bundle in; compile it with: " +
                "lmc compile " + given);
  }
  make_own_folder(models);
  const std::string folder = models + "/" + name_of(given, checkpoint) + "-" + key_of(checkpoint);
  if (!fs::exists(folder + "/" + kSource, ec)) compile(checkpoint.string(), folder);
  if (const std::string why = others_may_write(folder); !why.empty())
    throw Error(folder + ": " + why + ", and a bundle is a program; remove it with lmc rm");
  fs::last_write_time(folder + "/" + kSource, fs::file_time_type::clock::now(), ec);
  return folder + "/" + kBundle;
}

std::vector<CachedModel> cached_models() {
  std::vector<CachedModel> out;
  const std::string models = models_folder();
  if (models.empty()) return out;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(models, ec)) {
    CachedModel m{
        entry.path().filename().string(), source_in(entry.path().string()), entry.path().string(), 0, {}};
    m.bytes = bytes_below(m.folder);
    std::error_code none;
    m.used = fs::last_write_time(entry.path() / kSource, none);
    out.push_back(std::move(m));
  }
  std::sort(out.begin(), out.end(),
            [](const CachedModel& a, const CachedModel& b) { return a.name < b.name; });
  return out;
}

void remove_cached(const CachedModel& model) {
  std::error_code ec;
  fs::remove_all(model.folder, ec);
  if (ec) throw Error(model.folder + ": cannot remove: " + ec.message());
}

}  // namespace lmc
