#include "tools/system/cache_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "tools/cli/console.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

std::string chosen_folder() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value ? value : "";
  };
  if (const std::string own = variable("LMC_CACHE_DIR"); !own.empty()) return own;
  if (const std::string xdg = variable("XDG_CACHE_HOME"); !xdg.empty()) return xdg + "/lmc";
  if (const std::string home = variable("HOME"); !home.empty()) return home + "/.cache/lmc";
  return "";
}

}  // namespace

std::string others_may_write(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "";
  if (info.st_uid != ::geteuid() && info.st_uid != 0) return "belongs to another user";
  const bool group = (info.st_mode & S_IWGRP) != 0 && info.st_gid != ::getegid();
  return group || (info.st_mode & S_IWOTH) != 0 ? "may be written by others" : "";
}

std::string cache_folder() {
  const std::string folder = chosen_folder();
  if (folder.empty()) return "";
  std::error_code ec;
  const fs::path parent = fs::path(folder).parent_path();
  if (!parent.empty()) fs::create_directories(parent, ec);
  ::mkdir(folder.c_str(), 0700);
  const std::string why = others_may_write(folder);
  if (why.empty()) return folder;
  static std::set<std::string> said;
  if (said.insert(folder).second)
    info("{}: {}, so no compiled kernels are kept there; chmod go-w it, or name another with LMC_CACHE_DIR",
         folder, why);
  return "";
}

}  // namespace lmc
