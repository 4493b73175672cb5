// A small number that no other living sequence has: what ranks call a sequence among themselves.
#pragma once

#include <cstdint>
#include <utility>

namespace lmc {

class SequenceNumber {
 public:
  SequenceNumber();
  ~SequenceNumber();
  SequenceNumber(SequenceNumber&& from) noexcept : value_(std::exchange(from.value_, -1)) {}
  SequenceNumber& operator=(SequenceNumber&& from) noexcept {
    std::swap(value_, from.value_);
    return *this;
  }

  int32_t value() const { return value_; }

 private:
  int32_t value_;  // -1: given to another
};

}  // namespace lmc
