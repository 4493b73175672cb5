// What one input may use up of what a limit protects: steps, bytes, values.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "ir/error.h"

namespace lmc {

class Budget {
 public:
  // `refusal` is the message when it is used up: "the expressions take more than 1000000 steps".
  Budget(uint64_t most, std::string refusal) : left_(most), refusal_(std::move(refusal)) {}

  // Error, with the place where it ran out, once more is taken than there is.
  void take(uint64_t n, const Location& at = {}) {
    if (n > left_) throw Error(at, refusal_);
    left_ -= n;
  }

 private:
  uint64_t left_;
  std::string refusal_;
};

}  // namespace lmc
