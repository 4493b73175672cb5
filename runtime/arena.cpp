#include "runtime/arena.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "ir/error.h"
#include "runtime/memory_page.h"

namespace lmc {
namespace {

constexpr int64_t kAlignment = 64;
// Smaller ones come from the heap, where AddressSanitizer sees a kernel that runs past the end.
constexpr int64_t kMapFrom = 1 << 20;

}  // namespace

Arena::Arena(int64_t bytes, const char* what) {
  if (bytes <= 0) return;
  bytes_ = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const auto size = static_cast<size_t>(bytes_);
  mapped_ = bytes_ >= kMapFrom;
  void* memory = nullptr;
  if (mapped_) {
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) memory = nullptr;
  } else {
    memory = std::aligned_alloc(kAlignment, size);
    if (memory) std::memset(memory, 0, size);
  }
  if (!memory) {
    throw Error("not enough memory: cannot reserve " + std::to_string((bytes_ + (1 << 20) - 1) >> 20) +
                " MB for " + what + "; a smaller --context needs less");
  }
  data_ = static_cast<std::byte*>(memory);
}

Arena::~Arena() {
  if (mapped_) {
    munmap(data_, static_cast<size_t>(bytes_));
  } else {
    std::free(data_);
  }
}

Arena::Arena(Arena&& other) noexcept { *this = std::move(other); }

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

void Arena::give_back(int64_t offset, int64_t bytes) {
  if (mapped_) madvise(data_ + offset, static_cast<size_t>(bytes), MADV_DONTNEED);
}

void Arena::commit(int64_t offset, int64_t bytes) {
  if (!mapped_) return;
  const int64_t begin = offset / kMemoryPage * kMemoryPage, end = whole_pages(offset + bytes);
  madvise(data_ + begin, static_cast<size_t>(end - begin), MADV_POPULATE_WRITE);  // since Linux 5.14
}

void Arena::prefer_large_pages() {
  if (mapped_) madvise(data_, static_cast<size_t>(bytes_), MADV_HUGEPAGE);
}

void Arena::clear() {
  if (!data_) return;
  const auto size = static_cast<size_t>(bytes_);
  if (!mapped_ || madvise(data_, size, MADV_DONTNEED) != 0) std::memset(data_, 0, size);
}

}  // namespace lmc
