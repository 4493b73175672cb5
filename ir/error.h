// The one exception of lmc: a mistake in the user's input, with the place it was found.
// Thrown anywhere, caught once in tools/lmc.cpp. Bugs of lmc itself are assertions, not Errors.
#pragma once

#include <stdexcept>
#include <string>

#include "ir/file_name.h"

namespace lmc {

// A place in a text. `line` and `column` count from 1; 0 means "no such detail".
struct Location {
  FileName file;
  int line = 0;
  int column = 0;

  // "gemma3.yaml:12:5", "gemma3.yaml:12", "gemma3.yaml" or "".
  std::string str() const {
    std::string out = file.str();
    if (line > 0) {
      out += (out.empty() ? "line " : ":") + std::to_string(line);
      if (column > 0) out += ":" + std::to_string(column);
    }
    return out;
  }
};

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  Error(const Location& at, const std::string& message)
      : std::runtime_error(at.str().empty() ? message : at.str() + ": " + message), location(at) {}

  Location location;
};

}  // namespace lmc
