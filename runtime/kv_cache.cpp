#include "runtime/kv_cache.h"

#include <algorithm>
#include <cassert>

namespace lmc {
namespace {

// Kernels may read a whole vector past the last row.
constexpr int64_t kReadPast = 64;
// Each cache has pages of its own: what one commits as it is used is nobody else's.
constexpr int64_t kPage = 4096;

}  // namespace

KvCache::KvCache(const Plan& plan) : context_(plan.context) {
  int64_t bytes = 0;
  for (const PlanCache& c : plan.caches) {
    rings_.push_back({c.span, c.capacity});
    starts_.push_back(bytes);
    bytes += (c.bytes + kReadPast + kPage - 1) / kPage * kPage;
  }
  memory_ = Arena(bytes, "the KV cache");
}

int64_t KvCache::bytes() const { return memory_.bytes(); }

std::vector<void*> KvCache::bases() const {
  std::vector<void*> out;
  for (const int64_t start : starts_) out.push_back(memory_.data() + start);
  return out;
}

int64_t KvCache::offset_from(const KvCache& other) const {
  assert(starts_ == other.starts_);
  // Between two objects: addresses, not pointers, are subtracted.
  return static_cast<int64_t>(reinterpret_cast<uintptr_t>(memory_.data()) -
                              reinterpret_cast<uintptr_t>(other.memory_.data()));
}

void KvCache::advance(int64_t tokens) {
  position_ += tokens;
  written_ = std::max(written_, position_);
  assert(position_ <= context_);
}

bool KvCache::can_roll_back(int64_t position) const {
  if (position < 0 || position > position_) return false;
  // A token at `position` sees [position - span + 1, position]; the ring still holds what lies less than
  // `capacity` behind the highest position written.
  return std::all_of(rings_.begin(), rings_.end(), [&](const Ring& r) {
    return std::max<int64_t>(0, position - r.span + 1) >= written_ - r.capacity;
  });
}

void KvCache::roll_back(int64_t position) {
  assert(can_roll_back(position));
  position_ = position;
}

void KvCache::reset() {
  if (written_ == 0) return;
  memory_.clear();
  position_ = written_ = 0;
}

}  // namespace lmc
