#include "models/checkpoint/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "ir/error.h"

namespace lmc {

Mapping::Mapping(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(path + ": cannot open: " + std::strerror(errno));
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    throw Error(path + ": is not a file");
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* p = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  ::close(fd);
  if (size == 0) throw Error(path + ": is empty");
  if (p == MAP_FAILED) throw Error(path + ": cannot map: " + std::strerror(errno));
  bytes_ = {static_cast<const std::byte*>(p), size};
}

Mapping::Mapping(Mapping&& o) noexcept : bytes_(std::exchange(o.bytes_, {})) {}

Mapping::~Mapping() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace lmc
