// A bundle is on the disk before it has its name. The system calls of this program are watched: those of
// libraries bind to the functions below.
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/unit/temporary.h"
#include "tools/bundle/bundle.h"

namespace {

std::vector<std::string>& calls() {
  static std::vector<std::string> all;
  return all;
}

}  // namespace

extern "C" int fsync(int fd) {
  char path[4096] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  if (::readlink(link.c_str(), path, sizeof path - 1) > 0)
    calls().push_back("sync " + std::filesystem::path(path).filename().string());
  return ::fdatasync(fd);
}

extern "C" int renameat2(int from_dir, const char* from, int to_dir, const char* to,
                         unsigned flags) noexcept {
  calls().push_back("rename " + std::filesystem::path(from).filename().string());
  using Rename = int (*)(int, const char*, int, const char*, unsigned);
  const auto real = reinterpret_cast<Rename>(::dlsym(RTLD_NEXT, "renameat2"));
  return real(from_dir, from, to_dir, to, flags);
}

namespace lmc {
namespace {

TEST(BundleWriter, brings_files_to_the_disk_before_they_get_their_name) {
  const std::string path = temporary("synced.lmc");
  BundleWriter writer(path);
  writer.add("model.lmir", "graph");
  calls().clear();
  writer.commit({}, {});
  const std::string made = "synced.lmc.tmp-" + std::to_string(::getpid());
  const std::string folder = std::filesystem::path(path).parent_path().filename().string();
  EXPECT_EQ(calls(), (std::vector<std::string>{"sync model.lmir", "sync manifest.json", "sync " + made,
                                               "rename " + made, "sync " + folder}));
}

}  // namespace
}  // namespace lmc
