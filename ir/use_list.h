// The readers of a value, in the order in which they came. Angles of rope have one in every layer, and passes
// walk the layers in order: taking a use away costs its distance from the nearer end, not the length of the
// list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ir/id.h"

namespace lmc {

struct Use {
  OpId op;
  uint32_t operand;
  friend bool operator==(Use, Use) = default;
};

class UseList {
 public:
  const Use* begin() const { return items_.data() + gap_; }
  const Use* end() const { return items_.data() + items_.size(); }
  size_t size() const { return items_.size() - gap_; }
  bool empty() const { return size() == 0; }
  const Use& operator[](size_t i) const { return begin()[i]; }
  const Use& back() const { return items_.back(); }

  void push_back(Use u) { items_.push_back(u); }
  void remove(Use u);  // which is in it
  void clear();

 private:
  std::vector<Use> items_;  // behind a gap that removals in front have left
  size_t gap_ = 0;
};

}  // namespace lmc
