#include "runtime/warm_up.h"

#include <algorithm>
#include <mutex>
#include <vector>

#include "runtime/memory_page.h"

namespace lmc {
namespace {

constexpr size_t kChunk = 4 << 20;

}  // namespace

void touch_pages(std::span<const std::span<const std::byte>> memory, Workers& workers,
                 const std::function<void(int64_t done, int64_t total)>& progress) {
  std::vector<std::span<const std::byte>> pieces;
  int64_t total = 0;
  for (const std::span<const std::byte> m : memory) {
    total += static_cast<int64_t>(m.size());
    for (size_t at = 0; at < m.size(); at += kChunk)
      pieces.push_back(m.subspan(at, std::min(kChunk, m.size() - at)));
  }
  std::mutex mutex;
  int64_t done = 0;
  workers.for_each(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const std::span<const std::byte> p = pieces[static_cast<size_t>(i)];
    for (size_t at = 0; at < p.size(); at += size_t{kMemoryPage}) {
      static_cast<void>(*static_cast<const volatile std::byte*>(p.data() + at));
    }
    if (!progress) return;
    const std::lock_guard lock(mutex);
    progress(done += static_cast<int64_t>(p.size()), total);
  });
}

}  // namespace lmc
