// Where the rows (or columns) of a slice come from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <variant>

#include "ir/attr.h"

namespace lmc {

class SlicePlaces {
 public:
  explicit SlicePlaces(const AttrMap& slice)
      : start_(whole(slice, "start")), size_(whole(slice, "size")), every_(whole(slice, "every")) {}

  // Position in the operand of position `i` of the slice.
  int64_t from(int64_t i) const { return every_ == 0 ? start_ + i : i / size_ * every_ + start_ + i % size_; }
  // How many positions from `i` on, at most `n`, are neighbours in the operand.
  int64_t run(int64_t i, int64_t n) const { return every_ == 0 ? n : std::min(n, size_ - i % size_); }

 private:
  static int64_t whole(const AttrMap& attrs, const char* name) { return std::get<int64_t>(attrs.at(name)); }

  int64_t start_, size_, every_;
};

}  // namespace lmc
