// What a step that wants no more than that says of a row.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>

#include "ir/error.h"

namespace lmc {

// The token that greedy() finds in a row's logits, or its Error.
class Likeliest {
 public:
  explicit Likeliest(const std::function<int32_t()>& find) {
    try {
      token_ = find();
    } catch (const Error&) {
      error_ = std::current_exception();
    }
  }
  int32_t token() const {
    if (error_) std::rethrow_exception(error_);
    return token_;
  }

 private:
  int32_t token_ = 0;
  std::exception_ptr error_;
};

}  // namespace lmc
