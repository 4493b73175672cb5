// A text in the making: what has been fed, and the caches that hold it.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/kv_cache.h"

namespace lmc {

struct Sequence {
  explicit Sequence(const Plan& plan) : cache(plan) {}

  KvCache cache;
  std::vector<int32_t> tokens;  // cache.position() ids
  bool beyond = false;          // were they fed with the rope factors of a sequence beyond the border?

  void reset() {
    cache.reset();
    tokens.clear();
  }
};

}  // namespace lmc
