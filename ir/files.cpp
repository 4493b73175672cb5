#include "ir/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/descriptor.h"
#include "ir/error.h"
#include "ir/file_guard.h"

namespace lmc {
namespace {

[[noreturn]] void fail_at(const std::string& path, const std::string& doing) {
  throw Error(path + ": cannot " + doing + ": " + std::strerror(errno));
}

// For reading. The type is asked of what was opened, not of the name, and a pipe that nobody writes to does
// not keep open() waiting.
Descriptor open_regular(const std::string& path) {
  Descriptor out(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!out.is_open()) fail_at(path, "open");
  struct stat info {};
  if (::fstat(out.get(), &info) != 0) fail_at(path, "read");
  if (S_ISDIR(info.st_mode)) throw Error(path + ": is a folder, not a file");
  if (!S_ISREG(info.st_mode)) throw Error(path + ": is not a regular file");
  return out;
}

std::optional<struct stat> status(const std::string& path) {
  struct stat out {};
  return ::stat(path.c_str(), &out) == 0 ? std::optional(out) : std::nullopt;
}

// As many as there are, `most` at most; nothing if they cannot be read.
std::optional<std::string> read_all(int fd, size_t most = SIZE_MAX) {
  constexpr size_t kStep = size_t{1} << 16;
  struct stat info {};
  std::string out;
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
    out.reserve(std::min(most, static_cast<size_t>(info.st_size) + 1));
  while (out.size() < most) {
    const size_t at = out.size();
    out.resize(at + std::min({most - at, std::max(out.capacity() - at, kStep)}));
    const ssize_t got = ::read(fd, out.data() + at, out.size() - at);
    out.resize(at + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
  }
  return out;
}

void write_to(const std::string& path, const std::string& content) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd.is_open()) fail_at(path, "write");
  for (size_t at = 0; at < content.size();) {
    const ssize_t n = ::write(fd.get(), content.data() + at, content.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail_at(path, "write");
    at += static_cast<size_t>(n);
  }
  if (!fd.close()) fail_at(path, "write");
}

}  // namespace

std::string read_file(const std::string& path) {
  const Descriptor fd = open_regular(path);
  std::optional<std::string> out = read_all(fd.get());
  if (!out) fail_at(path, "read");
  return *std::move(out);
}

std::string read_input(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) fail_at(path, "open");
  struct stat info {};
  if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) throw Error(path + ": is a folder, not a file");
  std::optional<std::string> out = read_all(fd.get());
  if (!out) fail_at(path, "read");
  return *std::move(out);
}

std::string start_of_file(const std::string& path, size_t bytes) {
  try {
    return read_all(open_regular(path).get(), bytes).value_or("");
  } catch (const Error&) {
    return "";
  }
}

MappedFile::MappedFile(const std::string& path) {
  const Descriptor fd = open_regular(path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail_at(path, "read");
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return;
  void* p = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (p == MAP_FAILED) fail_at(path, "map");
  bytes_ = {static_cast<const std::byte*>(p), size};
  guard_mapping(bytes_, path);
}

MappedFile::MappedFile(MappedFile&& o) noexcept : bytes_(std::exchange(o.bytes_, {})) {}

MappedFile::~MappedFile() {
  if (bytes_.empty()) return;
  unguard_mapping(bytes_);
  ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void sweep_beside(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(path).parent_path();
  const std::string name = fs::path(path).filename().string();
  // NAME.tmp and a process, and nothing else: NAME.tmpl is somebody's file.
  const auto is_ours = [&](std::string_view file) {
    if (!file.starts_with(name)) return false;
    file.remove_prefix(name.size());
    for (const std::string_view mark : {".tmp-", ".tmp"}) {
      if (!file.starts_with(mark)) continue;
      file.remove_prefix(mark.size());
      return !file.empty() && file.find_first_not_of("0123456789") == std::string_view::npos;
    }
    return false;
  };
  const auto day_ago = fs::file_time_type::clock::now() - std::chrono::hours(24);
  std::error_code ec;
  std::vector<fs::path> old;
  for (fs::directory_iterator at(folder.empty() ? "." : folder, ec), end; !ec && at != end;
       at.increment(ec)) {
    if (!is_ours(at->path().filename().string())) continue;
    std::error_code unknown;
    if (const auto time = fs::last_write_time(at->path(), unknown); !unknown && time < day_ago)
      old.push_back(at->path());
  }
  for (const fs::path& p : old) fs::remove_all(p, ec);
}

NewFile::NewFile(const std::string& path, Access access) : access_(access) {
  // Where nothing is behind the path yet, it is its own.
  std::error_code ec;
  const std::filesystem::path real = std::filesystem::canonical(path, ec);
  path_ = ec ? path : real.string();
  temporary_ = path_ + ".tmp" + std::to_string(::getpid());
  listed_.emplace(temporary_);
  sweep_beside(path_);
  if (access == Access::shared) return;
  ::unlink(temporary_.c_str());
  const Descriptor fd(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.is_open()) fail_at(path, "write");
}

NewFile::~NewFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void NewFile::put_in_place() {
  check_mapped_files();
  const auto before = status(path_);
  if (access_ == Access::shared && before && ::chmod(temporary_.c_str(), before->st_mode & 07777) != 0)
    fail_at(path_, "write");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_at(path_, "write");
  listed_.reset();
  temporary_.clear();
}

void write_file(const std::string& path, const std::string& content, Access access) {
  const auto there = status(path);
  if (there && !S_ISREG(there->st_mode)) return write_to(path, content);
  NewFile file(path, access);
  try {
    write_to(file.path(), content);
  } catch (const Error&) {
    fail_at(path, "write");  // by its own name
  }
  file.put_in_place();
}

}  // namespace lmc
