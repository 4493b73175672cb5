// A text in the making: what has been fed, and the caches that hold it.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/kv_cache.h"
#include "runtime/sequence_number.h"

namespace lmc {

struct Sequence {
  explicit Sequence(const Plan& plan) : cache(plan) {}

  SequenceNumber number;
  KvCache cache;
  std::vector<int32_t> tokens;  // cache.position() ids
  bool beyond = false;          // were they fed with the rope factors of a sequence beyond the border?

  int64_t position() const { return cache.position(); }
  // Forgets everything.
  void reset() {
    cache.reset();
    tokens.clear();
  }
  // As if the tokens from `position` on had never been fed; false, and nothing changed, where KvCache cannot.
  bool roll_back(int64_t position) {
    if (!cache.can_roll_back(position)) return false;
    cache.roll_back(position);
    tokens.resize(static_cast<size_t>(position));
    return true;
  }
};

}  // namespace lmc
