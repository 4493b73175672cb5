#include "runtime/kv_cache.h"

#include <cassert>

namespace lmc {
namespace {

// Kernels may read a whole vector past the last row.
constexpr int64_t kReadPast = 64;

}  // namespace

KvCache::KvCache(const Plan& plan) : context_(plan.context) {
  for (const PlanCache& c : plan.caches) {
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
  assert(position_ <= context_);
}

void KvCache::reset() {
  if (position_ == 0) return;
  for (Arena& a : caches_) a.clear();
  position_ = 0;
}

}  // namespace lmc
