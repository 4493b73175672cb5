// What goes wrong, as text to look into.
#pragma once

#include <concepts>
#include <string>

#include "ir/error.h"

namespace lmc {

// What `f` throws; "" if it throws nothing.
template <std::invocable F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace lmc
