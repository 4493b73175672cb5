#include "tools/hub/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "tools/cli/console.h"
#include "tools/system/files.h"

namespace lmc {
namespace fs = std::filesystem;

void make_folders(const std::string& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) throw Error(path + ": cannot create the folder: " + ec.message());
}

void write_whole(const std::string& path, const std::string& content) {
  make_folders(fs::path(path).parent_path().string());
  write_file(path, content);
}

void link_to_blob(const std::string& path, const std::string& blob) {
  const fs::path folder = fs::path(path).parent_path();
  make_folders(folder.string());
  const fs::path target = fs::path(blob).lexically_relative(folder);
  std::error_code ec;
  if (fs::read_symlink(path, ec) == target && !ec) return;
  const std::string temporary = path + "." + std::to_string(::getpid()) + ".new";  // nobody else's
  fs::remove(temporary, ec);
  fs::create_symlink(target, temporary, ec);
  if (!ec) fs::rename(temporary, path, ec);
  if (!ec) return;
  const std::string why = ec.message();
  fs::remove(temporary, ec);
  throw Error(path + ": cannot link to " + target.string() + ": " + why);
}

BlobLock::BlobLock(const std::string& path, const std::function<bool()>& cancelled)
    : fd_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
  if (!fd_.is_open()) throw Error(path + ": cannot open: " + std::strerror(errno));
  for (bool told = false; ::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0; told = true) {
    const int error = errno;
    // A file system without locks: then only one program may fill the cache at a time.
    if (error != EWOULDBLOCK && error != EINTR) return;
    if (cancelled && cancelled()) throw Interrupted();
    if (!told) info("{}: waiting for another download of the same file", path);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace lmc
