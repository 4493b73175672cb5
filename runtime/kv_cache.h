// The caches of one sequence: memory for every PlanCache and the position the sequence has reached.
#pragma once

#include <cstdint>
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
  std::vector<void*> bases() const;

  void advance(int64_t tokens);
  // Forgets everything: a sequence after reset() computes what it would in a new process, bit for bit.
  void reset();

 private:
  int64_t context_;
  int64_t position_ = 0;
  std::vector<Arena> caches_;
};

}  // namespace lmc
