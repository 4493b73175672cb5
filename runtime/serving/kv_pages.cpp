#include "runtime/serving/kv_pages.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "ir/kernel_abi.h"
#include "ir/round_up.h"

namespace lmc {
namespace {

int64_t pages_of(int64_t positions) { return round_up(positions, kCachePage) / kCachePage; }

}  // namespace

KvPages::KvPages(const Plan& plan) : caches_(plan.caches), lasting_(plan) {
  for (size_t i = 0; i < caches_.size(); ++i) {
    if (lasting_.lasts(i)) continue;
    windowed_bytes_ += CacheLayout(caches_[i]).page_bytes;
    wants_borders_ |= caches_[i].dtype == DType::state_f32;
    seen_pages_ = std::max(seen_pages_, pages_of(caches_[i].span - 1));
  }
}

int64_t KvPages::bytes(int64_t positions) const {
  int64_t out = 0;
  for (const PlanCache& c : caches_) {
    const CacheLayout layout(c);
    out += round_up(std::min(positions, c.capacity), layout.page) / layout.page * layout.page_bytes;
  }
  return out;
}

int64_t KvPages::longest(int64_t most_bytes, int64_t context) const {
  int64_t pages = 0;
  while (pages * kCachePage < context && bytes((pages + 1) * kCachePage) <= most_bytes) {
    ++pages;
    if (bytes(pages * kCachePage) == bytes(context)) return context;
  }
  return std::min(pages * kCachePage, context);
}

// Aligned as a sequence's own are, so that no vector of a kernel lies across two lines.
std::shared_ptr<std::byte[]> KvPages::new_lasting() const {
  constexpr int64_t kLine = 64;
  void* memory =
      std::aligned_alloc(kLine, static_cast<size_t>(round_up(lasting_bytes() + kReadPastEnd, kLine)));
  if (!memory) throw std::bad_alloc();
  return {static_cast<std::byte*>(memory), std::free};
}

// Which page of a ring holds the last of them.
int64_t KvPages::last_page(const PlanCache& c, int64_t page) {
  return ((page + 1) * kCachePage - 1) / CacheLayout(c).page % cache_pages(c);
}

KvPage KvPages::copy_of(const KvCache& cache, int64_t page) const {
  KvPage out{new_lasting(),
             std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(windowed_bytes_))};
  std::byte* windowed = out.windowed.get();
  for (size_t i = 0; i < caches_.size(); ++i) {
    const std::byte* from = cache.page(i, last_page(caches_[i], page));
    const int64_t bytes = CacheLayout(caches_[i]).page_bytes;
    if (lasting_.lasts(i)) {
      std::copy_n(from, bytes, out.lasting.get() + lasting_.offset(i));
    } else {
      windowed = std::copy_n(from, bytes, windowed);
    }
  }
  if (wants_borders_ && !cache.can_roll_back((page + 1) * kCachePage)) out.windowed.reset();
  return out;
}

std::optional<KvPage> KvPages::page_of(std::span<const std::byte> held) const {
  const auto size = static_cast<int64_t>(held.size());
  if (size != page_bytes() && size != lasting_bytes()) return std::nullopt;
  KvPage out{new_lasting()};
  const auto split = held.begin() + static_cast<ptrdiff_t>(lasting_bytes());
  std::copy(held.begin(), split, out.lasting.get());
  if (size != page_bytes()) return out;
  out.windowed = std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(windowed_bytes_));
  std::copy(split, held.end(), out.windowed.get());
  return out;
}

std::span<const std::byte> KvPages::lasting(const KvPage& page) const {
  return {page.lasting.get(), static_cast<size_t>(lasting_bytes())};
}

std::span<const std::byte> KvPages::windowed(const KvPage& page) const {
  return {page.windowed.get(), static_cast<size_t>(page.windowed ? windowed_bytes_ : 0)};
}

void KvPages::write_windows(const KvPage& from, int64_t page, KvCache& to, int64_t position) const {
  const std::byte* at = from.windowed.get();
  if (!at) return;  // nothing is seen of it
  for (size_t i = 0; i < caches_.size(); ++i) {
    if (lasting_.lasts(i)) continue;
    const PlanCache& c = caches_[i];
    const int64_t bytes = CacheLayout(c).page_bytes;
    if ((page + 1) * kCachePage > position - c.span + 1)
      std::copy_n(at, bytes, to.page(i, last_page(c, page)));
    at += bytes;
  }
}

}  // namespace lmc
