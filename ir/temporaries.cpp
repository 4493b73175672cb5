#include "ir/temporaries.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace lmc {
namespace {

// Whoever exchanges a path for nothing owns it: its Temporary, which frees it, or remove_temporaries(), which
// has no time for that. Acquire and release, so that whoever takes a path also sees its characters.
std::array<std::atomic<char*>, 256> list{};
static_assert(std::atomic<char*>::is_always_lock_free);  // a signal handler reads it

// readdir() allocates, so the system is asked itself. Its entries, as getdents64(2) has them:
struct Entry {
  uint64_t inode;
  int64_t next;
  unsigned short bytes;
  unsigned char type;
  char name[1];  // and more
};

void remove_files_in(int folder) {
  alignas(Entry) std::array<char, 4096> block;
  for (;;) {
    const long got = ::syscall(SYS_getdents64, folder, block.data(), block.size());
    if (got <= 0) return;
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const Entry*>(block.data() + at);
      at += entry->bytes;
      ::unlinkat(folder, entry->name, 0);  // of "." and ".." it fails
    }
  }
}

void remove(const char* path) {
  if (::unlink(path) == 0) return;
  const int folder = ::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return;
  remove_files_in(folder);
  ::close(folder);
  ::rmdir(path);
}

}  // namespace

Temporary::Temporary(const std::string& path) : slot_(0) {
  char* const copy = ::strdup(path.c_str());
  if (copy == nullptr) throw std::bad_alloc();
  for (; slot_ < list.size(); ++slot_) {
    char* free = nullptr;
    if (list[slot_].compare_exchange_strong(free, copy, std::memory_order_release, std::memory_order_relaxed))
      return;
  }
  ::free(copy);  // no room on the list: swept a day later
}

Temporary::~Temporary() {
  if (slot_ < list.size()) ::free(list[slot_].exchange(nullptr, std::memory_order_acquire));
}

void remove_temporaries() noexcept {
  for (std::atomic<char*>& path : list) {
    if (const char* taken = path.exchange(nullptr, std::memory_order_acquire)) remove(taken);
  }
}

}  // namespace lmc
