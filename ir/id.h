// Dense typed ids and the side tables keyed by them. Analysis results live in side tables, never on nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace lmc {

template <class Tag>
struct Id {
  uint32_t v = UINT32_MAX;

  bool valid() const { return v != UINT32_MAX; }
  friend bool operator==(Id, Id) = default;
  friend auto operator<=>(Id, Id) = default;
};

using ValueId = Id<struct ValueTag>;
using OpId = Id<struct OpTag>;

// One T per id, grown on demand; ids never written hold `initial`.
template <class IdT, class T>
class SideTable {
 public:
  explicit SideTable(size_t size = 0, T initial = T()) : initial_(initial), items_(size, initial) {}

  T& operator[](IdT id) {
    if (id.v >= items_.size()) items_.resize(id.v + 1, initial_);
    return items_[id.v];
  }
  const T& operator[](IdT id) const { return id.v < items_.size() ? items_[id.v] : initial_; }

 private:
  T initial_;
  std::vector<T> items_;
};

}  // namespace lmc

template <class Tag>
struct std::hash<lmc::Id<Tag>> {
  size_t operator()(lmc::Id<Tag> id) const { return std::hash<uint32_t>()(id.v); }
};
