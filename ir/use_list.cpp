#include "ir/use_list.h"

#include <algorithm>

namespace lmc {

void UseList::remove(Use u) {
  size_t front = gap_;
  size_t back = items_.size() - 1;
  while (items_[front] != u && items_[back] != u) ++front, --back;
  if (items_[front] == u) {
    std::move_backward(items_.begin() + static_cast<int64_t>(gap_),
                       items_.begin() + static_cast<int64_t>(front),
                       items_.begin() + static_cast<int64_t>(front) + 1);
    ++gap_;
  } else {
    items_.erase(items_.begin() + static_cast<int64_t>(back));
  }
  if (gap_ == items_.size()) clear();
}

void UseList::clear() {
  items_.clear();
  gap_ = 0;
}

}  // namespace lmc
