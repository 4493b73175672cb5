#include "tools/system/files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

#include "codegen/crypto.h"
#include "ir/error.h"
#include "ir/file_guard.h"

namespace lmc {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& doing) {
  throw Error(path + ": cannot " + doing + ": " + std::strerror(errno));
}

}  // namespace

void sync_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) fail(path, "open");
  // Where a file system cannot do this, there is no more to be done.
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP) fail(path, "write");
}

Digest::Digest(const char* algorithm) : context_(nullptr) {
  const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> method(EVP_MD_fetch(crypto(), algorithm, nullptr),
                                                               EVP_MD_free);
  if (!method) throw Error(std::string("OpenSSL has no ") + algorithm + ", or no memory for it");
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), method.get(), nullptr) != 1) throw std::bad_alloc();
  context_ = context.release();
}

Digest::~Digest() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void Digest::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size());
}

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), digest.data(), &length);
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    constexpr const char* digits = "0123456789abcdef";
    out += digits[digest[i] >> 4];
    out += digits[digest[i] & 15];
  }
  return out;
}

std::string sha256_of_file(const std::string& path) {
  const MappedFile file(path);
  Sha256 hash;
  hash.update(file.bytes());
  check_mapped_files();
  return hash.hex();
}

OutputFile::OutputFile(const std::string& path, int64_t size)
    : path_(path), fd_(::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644)) {
  if (!fd_.is_open()) fail(path, "write");
  if (const int error = size > 0 ? ::posix_fallocate(fd_.get(), 0, size) : 0; error != 0) {
    errno = error;
    fail(path, "reserve " + std::to_string(size) + " bytes");
  }
}

void OutputFile::write_at(int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail(path_, "write");
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += n;
  }
}

void OutputFile::start_sync(int64_t offset, int64_t bytes) {
  ::sync_file_range(fd_.get(), offset, bytes, SYNC_FILE_RANGE_WRITE);
}

void OutputFile::close() {
  if (!fd_.close()) fail(path_, "write");
}

}  // namespace lmc
