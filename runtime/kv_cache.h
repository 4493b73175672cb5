// The caches of one sequence: memory for every PlanCache, in pages, and the position the sequence has
// reached. Pages of what every later token sees may be another's, who shares them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ir/plan.h"
#include "runtime/arena.h"
#include "runtime/lasting_pages.h"

namespace lmc {

class KvCache {
 public:
  explicit KvCache(const Plan& plan);

  // Positions filled so far = the position of the next token.
  int64_t position() const { return position_; }
  int64_t context() const { return context_; }
  // Reserved; what is touched costs memory.
  int64_t bytes() const;
  // Where each page lies (StepInfo::caches), those of a cache behind the other's.
  std::byte* const* pages() const { return list(); }
  // Which of them is the first of each cache, the same for every sequence of a plan; behind the last, how
  // many there are.
  static std::vector<int64_t> first_pages(const Plan& plan);
  // Of one cache, the page with this number of its ring, of those that hold the sequence so far.
  std::byte* page(size_t cache, int64_t number) const { return list()[first_pages_[cache] + number]; }

  // From now on positions of this page, all filled, are read where `lasting` has them (LastingPages::bytes(),
  // and kReadPastEnd), which must be what they hold; the sequence's own memory for them goes back.
  void share(int64_t page, std::shared_ptr<std::byte[]> lasting);
  // How many pages are another's memory.
  int64_t shared_pages() const { return shared_pages_; }
  // Before a step writes a position: its page is the sequence's own, with what it has held, and has memory.
  void make_own(int64_t position);

  void advance(int64_t tokens);
  // May the sequence go back to `position`, as if the tokens from there on had never been fed? A ring may
  // have overwritten what a token there still sees; going back by one step's tokens is always possible, where
  // a plan has recurrent states by no more than most_taken_back().
  bool can_roll_back(int64_t position) const;
  void roll_back(int64_t position);
  // The memory that holds the sequence so far: for storing it, and for reading it back into a cache of the
  // same plan that resume() has brought to the same position. Error where a ring has lost, by going back,
  // what would lie there.
  // Of a recurrent state it is the last.
  std::vector<std::span<std::byte>> filled();
  // A sequence of `position` tokens, whose memory filled() is then written.
  void resume(int64_t position);
  // Forgets everything: a sequence after reset() computes what it would in a new process, bit for bit.
  void reset();

 private:
  std::byte** list() const { return reinterpret_cast<std::byte**>(list_.data()); }
  std::byte* own_page(size_t cache, int64_t number) const;
  void reach(int64_t position);
  void point_at_own(int64_t page);
  void commit(int64_t page);

  int64_t context_;
  int64_t position_ = 0;
  int64_t written_ = 0;  // one past the highest position written since reset(): rolling back leaves it
  std::vector<PlanCache> plans_;
  LastingPages lasting_;
  std::vector<int64_t> first_pages_;
  Arena list_;           // std::byte*[first_pages_.back() + 1]
  int64_t reached_ = 0;  // pages of the sequence that the list has; no other is looked at
  // Own memory: lasting pages, each with those of all such caches, `lasting_stride_` bytes apart; then rings,
  // each where `rings_` says.
  int64_t lasting_stride_;
  std::vector<int64_t> rings_;
  Arena memory_;
  int64_t committed_ = 0;                             // one past the last page that commit() was called for
  std::vector<std::shared_ptr<std::byte[]>> shared_;  // by page; null, or none: own
  int64_t shared_pages_ = 0;
};

// How many tokens may always be taken back, whether they came one by one or in a block: guesses are never
// more.
int64_t most_taken_back(const Plan& plan);

}  // namespace lmc
