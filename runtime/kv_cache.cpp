#include "runtime/kv_cache.h"

#include <algorithm>
#include <cassert>

#include "ir/cache_layout.h"
#include "ir/error.h"
#include "runtime/memory_page.h"

namespace lmc {
namespace {

// Kernels may read a whole vector past the last row.
constexpr int64_t kReadPast = 64;

}  // namespace

KvCache::KvCache(const Plan& plan)
    : context_(plan.context),
      plans_(plan.caches),
      starts_(starts(plan)),
      memory_(starts_.back(), "the KV cache") {}

std::vector<int64_t> KvCache::starts(const Plan& plan) {
  std::vector<int64_t> out = {0};
  // Each has pages of its own: what one commits as it is used is nobody else's.
  for (const PlanCache& c : plan.caches) out.push_back(out.back() + whole_pages(c.bytes + kReadPast));
  return out;
}

int64_t KvCache::bytes() const { return memory_.bytes(); }

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
    return c.dtype != DType::state_f32 && written_ > position_ && written_ > c.capacity;
  });
  if (lost) throw Error("the sequence went back, and a sliding window has lost what lies before");
  std::vector<std::span<std::byte>> out;
  for (size_t i = 0; i < plans_.size(); ++i) {
    const PlanCache& c = plans_[i];
    const bool last = c.dtype == DType::state_f32 && position_ > 0;
    const int64_t first = last ? (position_ - 1) % c.capacity : 0;
    for (const CachePiece& p : cache_pieces(c, first, last ? 1 : std::min(position_, c.capacity)))
      out.emplace_back(memory_.data() + starts_[i] + p.offset, static_cast<size_t>(p.bytes));
  }
  return out;
}

void KvCache::resume(int64_t position) {
  reset();
  advance(position);
}

void KvCache::reset() {
  if (written_ == 0) return;
  memory_.clear();
  position_ = written_ = 0;
}

int64_t most_taken_back(const Plan& plan) {
  int64_t out = plan.context;
  for (const PlanCache& c : plan.caches) {
    if (c.dtype == DType::state_f32) out = std::min(out, c.capacity - 1);
  }
  return out;
}

}  // namespace lmc
