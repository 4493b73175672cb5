#include "runtime/kv_cache.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "ir/cache_layout.h"
#include "ir/error.h"
#include "ir/kernel_abi.h"
#include "runtime/memory_page.h"

namespace lmc {
namespace {

// Each ring has memory pages of its own: what one commits as it is used is nobody else's.
std::vector<int64_t> ring_starts(const std::vector<PlanCache>& caches, const LastingPages& lasting,
                                 int64_t start) {
  std::vector<int64_t> out;
  for (size_t i = 0; i < caches.size(); ++i) {
    out.push_back(start);
    if (!lasting.lasts(i)) start += whole_pages(caches[i].bytes);
  }
  out.push_back(start);
  return out;
}

}  // namespace

KvCache::KvCache(const Plan& plan)
    : context_(plan.context),
      plans_(plan.caches),
      lasting_(plan),
      first_pages_(first_pages(plan)),
      list_((first_pages_.back() + 1) * int64_t{sizeof(std::byte*)}, "the pages of the KV cache"),
      lasting_stride_(whole_pages(lasting_.bytes())),
      rings_(ring_starts(plans_, lasting_, lasting_.count() * lasting_stride_)),
      memory_(rings_.back() + kReadPastEnd, "the KV cache") {}

std::vector<int64_t> KvCache::first_pages(const Plan& plan) {
  std::vector<int64_t> out = {0};
  for (const PlanCache& c : plan.caches) out.push_back(out.back() + cache_pages(c));
  return out;
}

std::byte* KvCache::own_page(size_t cache, int64_t number) const {
  if (lasting_.lasts(cache)) return memory_.data() + number * lasting_stride_ + lasting_.offset(cache);
  return memory_.data() + rings_[cache] + number * CacheLayout(plans_[cache]).page_bytes;
}

// The list has the pages up to this position's.
void KvCache::reach(int64_t position) {
  for (; reached_ <= position / kCachePage; ++reached_) {
    point_at_own(reached_);
    for (size_t i = 0; i < plans_.size(); ++i) {
      if (lasting_.lasts(i)) continue;
      const int64_t pages = kCachePage / CacheLayout(plans_[i]).page;  // of so many positions
      const int64_t end = std::min((reached_ + 1) * pages, cache_pages(plans_[i]));
      for (int64_t p = reached_ * pages; p < end; ++p) list()[first_pages_[i] + p] = own_page(i, p);
    }
  }
}

void KvCache::point_at_own(int64_t page) {
  for (size_t i = 0; i < plans_.size(); ++i) {
    if (lasting_.lasts(i)) list()[first_pages_[i] + page] = own_page(i, page);
  }
}

int64_t KvCache::bytes() const { return memory_.bytes() + list_.bytes(); }

void KvCache::share(int64_t page, std::shared_ptr<std::byte[]> lasting) {
  const auto at = static_cast<size_t>(page);
  if (lasting_.bytes() == 0) return;
  if (at >= shared_.size()) shared_.resize(at + 1);
  if (shared_[at] == lasting) return;
  shared_pages_ += shared_[at] ? 0 : 1;
  shared_[at] = std::move(lasting);
  for (size_t i = 0; i < plans_.size(); ++i) {
    if (lasting_.lasts(i)) list()[first_pages_[i] + page] = shared_[at].get() + lasting_.offset(i);
  }
  memory_.give_back(page * lasting_stride_, lasting_stride_);
}

void KvCache::make_own(int64_t position) {
  reach(position);
  const auto page = static_cast<size_t>(position / kCachePage);
  if (position / kCachePage >= committed_) commit(position / kCachePage);
  if (page >= shared_.size() || !shared_[page]) return;
  point_at_own(position / kCachePage);
  const std::shared_ptr<std::byte[]> from = std::exchange(shared_[page], nullptr);
  --shared_pages_;
  std::copy_n(from.get(), lasting_.bytes(), memory_.data() + position / kCachePage * lasting_stride_);
}

// The memory of a page's positions, of which the next steps fill one after the other, in all caches: that of
// states comes as they do, each as large as many positions.
void KvCache::commit(int64_t page) {
  if (lasting_.bytes() > 0) memory_.commit(page * lasting_stride_, lasting_stride_);
  for (size_t i = 0; i < plans_.size(); ++i) {
    const bool ring = !lasting_.lasts(i) && plans_[i].dtype != DType::state_f32;
    if (ring && page < cache_pages(plans_[i]))
      memory_.commit(rings_[i] + page * CacheLayout(plans_[i]).page_bytes, CacheLayout(plans_[i]).page_bytes);
  }
  committed_ = page + 1;
}

void KvCache::advance(int64_t tokens) {
  if (tokens > 0) reach(position_ + tokens - 1);
  position_ += tokens;
  written_ = std::max(written_, position_);
  assert(position_ <= context_);
}

bool KvCache::can_roll_back(int64_t position) const {
  if (position < 0 || position > position_) return false;
  // A token at `position` sees [position - span + 1, position]; the ring still holds what lies less than
  // `capacity` behind the highest position written.
  return std::all_of(plans_.begin(), plans_.end(), [&](const PlanCache& r) {
    return std::max<int64_t>(0, position - r.span + 1) >= written_ - r.capacity;
  });
}

void KvCache::roll_back(int64_t position) {
  assert(can_roll_back(position));
  position_ = position;
}

std::vector<std::span<std::byte>> KvCache::filled() {
  const bool lost = std::any_of(plans_.begin(), plans_.end(), [&](const PlanCache& c) {
    return c.dtype != DType::state_f32 && written_ > position_ && written_ > c.capacity;
  });
  if (lost) throw Error("the sequence went back, and a sliding window has lost what lies before");
  std::vector<std::span<std::byte>> out;
  for (size_t i = 0; i < plans_.size(); ++i) {
    const PlanCache& c = plans_[i];
    if (c.dtype == DType::state_f32 && position_ > 0) {
      out.emplace_back(page(i, (position_ - 1) % c.capacity), static_cast<size_t>(CacheLayout(c).page_bytes));
      continue;
    }
    for (const CachePiece& p : cache_pieces(c, std::min(position_, c.capacity)))
      out.emplace_back(page(i, p.page) + p.offset, static_cast<size_t>(p.bytes));
  }
  return out;
}

void KvCache::resume(int64_t position) {
  reset();
  advance(position);
}

void KvCache::reset() {
  if (written_ == 0) return;
  for (size_t p = 0; p < shared_.size(); ++p) {
    if (shared_[p]) point_at_own(static_cast<int64_t>(p));
  }
  shared_.clear();
  shared_pages_ = 0;
  memory_.clear();
  position_ = written_ = committed_ = 0;
}

int64_t most_taken_back(const Plan& plan) {
  int64_t out = plan.context;
  for (const PlanCache& c : plan.caches) {
    if (c.dtype == DType::state_f32) out = std::min(out, c.capacity - 1);
  }
  return out;
}

}  // namespace lmc
