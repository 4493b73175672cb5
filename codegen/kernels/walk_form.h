// What a walk over a tile's weights does for a number of rows of activations (linear_walk.h): which numbers
// have code of their own, where their sums are kept, in how many streams weights come, and when and into
// which level of the cache they are asked for. No result depends on any of it; the figures behind it are in
// codegen/PERFORMANCE.md.
#pragma once

#include "codegen/kernels/linear_form.h"
#include "codegen/target.h"

namespace lmc {

class WalkForm {
 public:
  static constexpr int64_t kStreams = 4;  // at most
  static constexpr int64_t kMany = 4;     // rows whose products take so long that memory is asked meanwhile

  // `known`: the number of rows, if it is known where code is emitted; else 0. What is referred to outlives
  // this.
  WalkForm(const Target& target, const LinearForm& form, int64_t known);

  int64_t known() const { return known_; }
  // Does a matrix unit multiply, where there are rows enough for it?
  bool by_unit() const;
  // Up to so many rows' sums stay in registers, and their number must be known.
  int64_t most_in_registers() const;
  bool always_in_registers() const;  // of more rows, too: one walk for so many after the other
  // Has so small a number of rows a walk of its own? If not, it is the next smaller one's and another's.
  static bool has_its_own(int64_t rows);
  int64_t streams() const;         // in which weights come, of both halves where there are two
  int64_t prefetch_level() const;  // of the cache
  // So few rows are left to the CPU's own prefetching, which follows their streams; not where blocks would be
  // made ready for more of them (measured: nothing gained).
  int64_t most_that_do_not_ask() const;
  // Is memory asked in the turns of a block's products (WeightLayout::turns)? `lines`: of a block.
  bool asks_in_turns(int64_t lines) const;
  // Of a block of a group, made ready for many rows; 0: products read it as it lies.
  int64_t ready_bytes() const;

 private:
  bool may_ask_in_turns() const;

  const WeightLayout& layout() const { return *form_->layout; }

  const Target* target_;
  const LinearForm* form_;
  int64_t known_;
};

int64_t power_of_two_up_to(int64_t n);

}  // namespace lmc
