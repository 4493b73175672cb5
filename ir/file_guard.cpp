#include "ir/file_guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "ir/error.h"

namespace lmc {
namespace {

// Written under `adding`, read by a signal handler, which may neither lock nor allocate. In the usual order
// (sequentially consistent; none of this is done often): path and end are there before begin says so, and a
// handler that finds begin unchanged behind them has read what belongs together.
struct Guarded {
  std::atomic<uintptr_t> begin{0};  // 0: free
  std::atomic<uintptr_t> end{0};
  std::atomic<char*> path{nullptr};  // kept for good: the handler may be looking at it
};

std::array<Guarded, 4096> mappings;
// Released by the handler's thread, acquired by any: the characters were written by whoever mapped the file,
// and the handler's thread has seen them in `path` of above.
std::atomic<const char*> shrunk{nullptr};
struct sigaction before {};
std::mutex adding;

const char* guarded_path(uintptr_t address) {
  for (const Guarded& m : mappings) {
    const uintptr_t begin = m.begin.load();
    if (begin == 0 || address < begin || address >= m.end.load()) continue;
    const char* const path = m.path.load();
    if (m.begin.load() == begin) return path;
  }
  return nullptr;
}

void on_bus_error(int number, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  if (const char* path = guarded_path(address)) {
    void* const start = reinterpret_cast<void*>(address / page * page);
    const void* put = ::mmap(start, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (put != MAP_FAILED) {
      shrunk.store(path, std::memory_order_release);
      return;
    }
  }
  // Somebody else's: what would have happened without us.
  if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction != nullptr)
    return before.sa_sigaction(number, info, context);
  std::signal(SIGBUS, SIG_DFL);
}

void install() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &before);
}

}  // namespace

void guard_mapping(std::span<const std::byte> bytes, const std::string& path) {
  static std::once_flag once;
  std::call_once(once, install);
  char* const name = ::strdup(path.c_str());
  if (name == nullptr) throw std::bad_alloc();
  const std::lock_guard lock(adding);
  for (Guarded& m : mappings) {
    if (m.begin.load() != 0) continue;
    m.path.store(name);
    m.end.store(reinterpret_cast<uintptr_t>(bytes.data() + bytes.size()));
    m.begin.store(reinterpret_cast<uintptr_t>(bytes.data()));
    return;
  }
  throw Error(path + ": cannot map: more than " + std::to_string(mappings.size()) + " files are in use");
}

void unguard_mapping(std::span<const std::byte> bytes) {
  for (Guarded& m : mappings) {
    auto begin = reinterpret_cast<uintptr_t>(bytes.data());
    if (m.begin.compare_exchange_strong(begin, 0)) return;
  }
}

void check_mapped_files() {
  if (const char* path = shrunk.load(std::memory_order_acquire))
    throw Error(std::string(path) + ": became shorter while it was in use");
}

}  // namespace lmc
