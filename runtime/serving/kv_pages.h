// The caches of a sequence in pages of kCachePage positions: what they weigh, and how one is taken out of a
// sequence and given to another. A page is in two parts: what every later token sees, which sequences share,
// and what is only seen from within a sliding window, which each has for itself, as its ring soon holds
// others. A recurrent state belongs to the second: it is what all tokens up to the page's end came to, of no
// use but right behind it, and only there where a step has ended at most a few tokens behind that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ir/cache_layout.h"
#include "ir/plan.h"
#include "runtime/kv_cache.h"
#include "runtime/lasting_pages.h"

namespace lmc {

struct KvPage {
  std::shared_ptr<std::byte[]> lasting;             // as KvCache::share() takes it
  std::unique_ptr<std::byte[]> windowed = nullptr;  // null: dropped, or no bytes
};

class KvPages {
 public:
  explicit KvPages(const Plan& plan);

  int64_t lasting_bytes() const { return lasting_.bytes(); }  // of a page
  int64_t windowed_bytes() const { return windowed_bytes_; }
  int64_t page_bytes() const { return lasting_bytes() + windowed_bytes_; }
  // Is there a state that only a step which ends at a page's end leaves behind it?
  bool wants_borders() const { return wants_borders_; }
  // Pages before a border that windows still see from there: their windowed part is needed to go on.
  int64_t seen_pages() const { return seen_pages_; }

  // What a sequence of so many positions uses, in whole pages.
  int64_t bytes(int64_t positions) const;
  // Most positions, up to `context`, of a sequence that uses so much.
  int64_t longest(int64_t bytes, int64_t context) const;

  // Page number `page` of a sequence that has fed it whole, by its last step at the latest. Both parts, but
  // for the second where the sequence has passed by the state behind the page.
  KvPage copy_of(const KvCache& cache, int64_t page) const;
  // One made of bytes that came from copy_of(), the lasting ones first; the windowed ones may be missing.
  // Nothing where they are too many or too few.
  std::optional<KvPage> page_of(std::span<const std::byte> held) const;
  std::span<const std::byte> lasting(const KvPage& page) const;
  std::span<const std::byte> windowed(const KvPage& page) const;

  // Copies the windowed part into a sequence that goes on from `position`, a multiple of kCachePage: what is
  // seen from there.
  void write_windows(const KvPage& from, int64_t page, KvCache& to, int64_t position) const;

 private:
  std::shared_ptr<std::byte[]> new_lasting() const;
  static int64_t last_page(const PlanCache& c, int64_t page);

  std::vector<PlanCache> caches_;
  const LastingPages lasting_;
  int64_t windowed_bytes_ = 0, seen_pages_ = 0;
  bool wants_borders_ = false;
};

}  // namespace lmc
