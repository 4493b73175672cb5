// A page of what every later token of a sequence sees: of the caches without a sliding window, one behind the
// other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ir/cache_layout.h"
#include "ir/plan.h"

namespace lmc {

class LastingPages {
 public:
  explicit LastingPages(const Plan& plan) {
    for (const PlanCache& c : plan.caches) {
      const bool lasts = c.span >= plan.context && c.dtype != DType::state_f32;
      offsets_.push_back(lasts ? bytes_ : -1);
      if (!lasts) continue;
      bytes_ += CacheLayout(c).page_bytes;
      count_ = std::max(count_, cache_pages(c));
    }
  }
  int64_t bytes() const { return bytes_; }  // of a page
  int64_t count() const { return count_; }  // that a sequence may have
  bool lasts(size_t cache) const { return offsets_[cache] >= 0; }
  int64_t offset(size_t cache) const { return offsets_[cache]; }  // in a page

 private:
  std::vector<int64_t> offsets_;
  int64_t bytes_ = 0, count_ = 0;
};

}  // namespace lmc
