#include "runtime/kv_cache.h"

#include <algorithm>
#include <cassert>

#include "ir/cache_layout.h"
#include "ir/error.h"

namespace lmc {
namespace {

// Kernels may read a whole vector past the last row.
constexpr int64_t kReadPast = 64;

}  // namespace

KvCache::KvCache(const Plan& plan) : context_(plan.context) {
  for (const PlanCache& c : plan.caches) {
    plans_.push_back(c);
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
    return written_ > position_ && written_ > c.capacity;
  });
  if (lost) throw Error("the sequence went back, and a sliding window has lost what lies before");
  std::vector<std::span<std::byte>> out;
  for (size_t i = 0; i < plans_.size(); ++i) {
    for (const CachePiece& p : cache_pieces(plans_[i], std::min(position_, plans_[i].capacity)))
      out.emplace_back(caches_[i].data() + p.offset, static_cast<size_t>(p.bytes));
  }
  return out;
}

void KvCache::resume(int64_t position) {
  reset();
  advance(position);
}

void KvCache::reset() {
  if (written_ == 0) return;
  for (Arena& a : caches_) a.clear();
  position_ = written_ = 0;
}

}  // namespace lmc
