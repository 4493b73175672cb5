#include "runtime/serving/kv_pages.h"

#include <algorithm>

#include "ir/error.h"
#include "ir/round_up.h"

namespace lmc {
namespace {

int64_t pages_of(int64_t positions) { return round_up(positions, kCachePage) / kCachePage; }

}  // namespace

KvPages::KvPages(const Plan& plan) {
  const std::vector<int64_t> starts = KvCache::starts(plan);
  for (size_t i = 0; i < plan.caches.size(); ++i) {
    const PlanCache& c = plan.caches[i];
    const bool state = c.dtype == DType::state_f32;
    if (!state && c.capacity % kCachePage != 0)
      throw Error("the plan does not fit: cache '" + c.name + "' is not made of whole pages of " +
                  std::to_string(kCachePage) + " positions; compile the bundle again");
    const CacheLayout layout(c);
    const int64_t positions = state ? 1 : kCachePage;
    const int64_t bytes = positions * c.kv_heads * (layout.k_position_bytes + layout.v_position_bytes);
    const bool windowed = state || c.span < plan.context;
    int64_t& part = windowed ? windowed_bytes_ : lasting_bytes_;
    caches_.push_back({c, starts[i], bytes, part, windowed, state});
    part += bytes;
    wants_borders_ |= state;
    if (windowed) seen_pages_ = std::max(seen_pages_, pages_of(c.span - 1));
  }
}

int64_t KvPages::bytes(int64_t positions) const {
  int64_t out = 0;
  for (const Cache& c : caches_) {
    const int64_t held = std::min(positions, c.plan.capacity);
    out += (c.state ? held : pages_of(held)) * c.bytes;
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

std::vector<CachePiece> KvPages::pieces(const Cache& c, int64_t page) {
  if (c.state) return cache_pieces(c.plan, ((page + 1) * kCachePage - 1) % c.plan.capacity, 1);
  return cache_pieces(c.plan, page * kCachePage % c.plan.capacity, kCachePage);
}

KvPage KvPages::copy_of(const KvCache& cache, int64_t page) const {
  KvPage out{std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(lasting_bytes_)),
             std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(windowed_bytes_))};
  for (const Cache& c : caches_) {
    std::byte* to = (c.windowed ? out.windowed : out.lasting).get() + c.offset;
    for (const CachePiece& p : pieces(c, page))
      to = std::copy_n(cache.memory() + c.start + p.offset, p.bytes, to);
  }
  if (wants_borders_ && !cache.can_roll_back((page + 1) * kCachePage)) out.windowed.reset();
  return out;
}

std::optional<KvPage> KvPages::page_of(std::span<const std::byte> held) const {
  const auto size = static_cast<int64_t>(held.size());
  if (size != page_bytes() && size != lasting_bytes_) return std::nullopt;
  const auto copy = [](std::span<const std::byte> from) {
    auto out = std::make_unique_for_overwrite<std::byte[]>(from.size());
    std::copy(from.begin(), from.end(), out.get());
    return out;
  };
  const auto split = static_cast<size_t>(lasting_bytes_);
  const bool windows = size == page_bytes();
  return KvPage{copy(held.first(split)), windows ? copy(held.subspan(split)) : nullptr};
}

std::span<const std::byte> KvPages::lasting(const KvPage& page) const {
  return {page.lasting.get(), static_cast<size_t>(lasting_bytes_)};
}

std::span<const std::byte> KvPages::windowed(const KvPage& page) const {
  return {page.windowed.get(), static_cast<size_t>(page.windowed ? windowed_bytes_ : 0)};
}

void KvPages::write(const KvPage& from, int64_t page, KvCache& to, int64_t position) const {
  for (const Cache& c : caches_) {
    if (c.windowed && (page + 1) * kCachePage <= position - c.plan.span + 1) continue;
    const std::byte* bytes = (c.windowed ? from.windowed : from.lasting).get() + c.offset;
    for (const CachePiece& p : pieces(c, page)) {
      std::copy_n(bytes, p.bytes, to.memory() + c.start + p.offset);
      bytes += p.bytes;
    }
  }
}

}  // namespace lmc
