// The caches of one sequence: memory for every PlanCache and the position the sequence has reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ir/plan.h"
#include "runtime/arena.h"

namespace lmc {

class KvCache {
 public:
  explicit KvCache(const Plan& plan);

  // Positions filled so far = the position of the next token.
  int64_t position() const { return position_; }
  int64_t context() const { return context_; }
  // Reserved; what is touched costs memory.
  int64_t bytes() const;
  // Where the memory begins that holds the caches.
  std::byte* memory() const { return memory_.data(); }
  // Where in it each lies, the same for every sequence of a plan; behind the last, where it ends.
  static std::vector<int64_t> starts(const Plan& plan);

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
  int64_t context_;
  int64_t position_ = 0;
  int64_t written_ = 0;  // one past the highest position written since reset(): rolling back leaves it
  std::vector<PlanCache> plans_;
  std::vector<int64_t> starts_;
  Arena memory_;
};

// How many tokens may always be taken back, whether they came one by one or in a block: guesses are never
// more.
int64_t most_taken_back(const Plan& plan);

}  // namespace lmc
