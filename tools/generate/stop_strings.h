// Text that ends a generation: found across the borders of pieces, and never shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmc {

class StopStrings {
 public:
  // Empty strings are refused with UsageError.
  explicit StopStrings(std::vector<std::string> stops);

  // What can be shown now: all but an ending that may become a stop string. After a match, nothing.
  std::string push(std::string_view piece);
  bool matched() const { return matched_; }
  // The held-back ending, at the end of the text.
  std::string flush();

 private:
  size_t held_back() const;

  std::vector<std::string> stops_;
  std::string pending_;
  bool matched_ = false;
};

}  // namespace lmc
