#include "runtime/kv_cache.h"

#include <algorithm>
#include <cassert>

namespace lmc {
namespace {

// Kernels may read a whole vector past the last row.
constexpr int64_t kReadPast = 64;

}  // namespace

KvCache::KvCache(const Plan& plan) : context_(plan.context) {
  for (const PlanCache& c : plan.caches) {
    rings_.push_back({c.span, c.capacity});
    caches_.emplace_back(c.bytes + kReadPast, ("the KV cache " + c.name).c_str());
  }
}

int64_t KvCache::bytes() const {
  int64_t total = 0;
  for (const Arena& a : caches_) total += a.bytes();
  return total;
}

std::vector<void*> KvCache::bases() const {
  std::vector<void*> out;
  for (const Arena& a : caches_) out.push_back(a.data());
  return out;
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
  for (Arena& a : caches_) a.clear();
  position_ = written_ = 0;
}

}  // namespace lmc
