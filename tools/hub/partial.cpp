#include "tools/hub/partial.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "ir/error.h"

namespace lmc {
namespace {

[[noreturn]] void fail(const std::string& path, const char* doing) {
  throw Error(path + ": cannot " + doing + ": " + std::strerror(errno));
}

// LFS names a file by its SHA-256; Git by the SHA-1 of "blob SIZE\0" and its content.
std::unique_ptr<Digest> new_digest(const RemoteFile& file) {
  if (file.hash.size() == 64) return std::make_unique<Digest>("SHA256");
  auto out = std::make_unique<Digest>("SHA1");
  const std::string header = "blob " + std::to_string(file.size) + '\0';
  out->update(std::as_bytes(std::span(header)));
  return out;
}

}  // namespace

PartialBlob::PartialBlob(std::string blob, const RemoteFile& file)
    : blob_(std::move(blob)),
      path_(blob_ + ".incomplete"),
      file_(file),
      fd_(::open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
  if (!fd_.is_open()) fail(path_, "write");
  digest_ = new_digest(file_);
  hash_what_is_there();
}

void PartialBlob::hash_what_is_there() {
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) fail(path_, "read");
  if (info.st_size > file_.size) return restart();
  std::vector<std::byte> block(size_t{1} << 20);
  while (size_ < info.st_size) {
    const ssize_t n = ::pread(fd_.get(), block.data(), block.size(), size_);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(path_, "read");
    digest_->update(std::span(block).first(static_cast<size_t>(n)));
    size_ += n;
  }
}

void PartialBlob::append(std::span<const std::byte> bytes) {
  if (static_cast<int64_t>(bytes.size()) > file_.size - size_)
    throw Error(file_.name + ": the server sends more than the " + std::to_string(file_.size) +
                " bytes it announced");
  digest_->update(bytes);
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), size_);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(path_, "write");
    bytes = bytes.subspan(static_cast<size_t>(n));
    size_ += n;
  }
}

void PartialBlob::restart() {
  if (::ftruncate(fd_.get(), 0) != 0) fail(path_, "write");
  size_ = 0;
  digest_ = new_digest(file_);
}

bool PartialBlob::finish() {
  const bool good = digest_->hex() == file_.hash;
  if (!fd_.close()) fail(path_, "write");
  if (good) sync_file(path_);  // before it has its name, so that no power cut leaves zeros under it
  std::error_code ec;
  good ? std::filesystem::rename(path_, blob_, ec) : void(std::filesystem::remove(path_, ec));
  if (ec) throw Error(path_ + ": cannot " + (good ? "rename: " : "remove: ") + ec.message());
  return good;
}

}  // namespace lmc
