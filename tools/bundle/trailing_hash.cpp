#include "tools/bundle/trailing_hash.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "ir/descriptor.h"
#include "ir/error.h"
#include "tools/system/files.h"

namespace lmc {

TrailingHash::TrailingHash(std::string path, std::vector<int64_t> ends)
    : path_(std::move(path)), ends_(std::move(ends)), done_(ends_.size()), thread_([this] {
        try {
          follow();
        } catch (...) {
          failure_ = std::current_exception();
        }
      }) {}

TrailingHash::~TrailingHash() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void TrailingHash::written(size_t piece) {
  {
    const std::lock_guard lock(mutex_);
    done_[piece] = true;
  }
  changed_.notify_all();
}

std::string TrailingHash::finish() {
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
  return hex_;
}

void TrailingHash::follow() {
  // Not a stream, which would read ahead of what is written.
  const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  Sha256 hash;
  std::vector<char> block(1 << 20);
  int64_t at = 0;
  for (size_t piece = 0; piece < ends_.size(); ++piece) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || done_[piece]; });
      if (!done_[piece]) break;
    }
    while (at < ends_[piece]) {
      const int64_t n = std::min(ends_[piece] - at, static_cast<int64_t>(block.size()));
      const ssize_t got = ::pread(file.get(), block.data(), static_cast<size_t>(n), at);
      if (got <= 0) throw Error(path_ + ": cannot be read back");
      hash.update(std::as_bytes(std::span(block.data(), static_cast<size_t>(got))));
      at += got;
    }
  }
  hex_ = hash.hex();
}

}  // namespace lmc
