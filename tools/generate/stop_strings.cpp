#include "tools/generate/stop_strings.h"

#include <algorithm>
#include <utility>

#include "tools/cli/console.h"

namespace lmc {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& s : stops_) {
    if (s.empty()) throw UsageError("--stop needs a text that is not empty");
  }
}

std::string StopStrings::push(std::string_view piece) {
  if (matched_) return "";
  pending_ += piece;
  size_t at = std::string::npos;
  for (const std::string& s : stops_) at = std::min(at, pending_.find(s));
  if (at != std::string::npos) {
    matched_ = true;
    pending_.resize(at);
    return std::exchange(pending_, "");
  }
  const size_t shown = pending_.size() - held_back();
  std::string out = pending_.substr(0, shown);
  pending_.erase(0, shown);
  return out;
}

// The longest ending of what is pending that a stop string begins with.
size_t StopStrings::held_back() const {
  size_t longest = 0;
  for (const std::string& s : stops_) {
    for (size_t n = std::min(s.size() - 1, pending_.size()); n > longest; --n) {
      if (pending_.compare(pending_.size() - n, n, s, 0, n) == 0) longest = n;
    }
  }
  return longest;
}

std::string StopStrings::flush() { return std::exchange(pending_, ""); }

}  // namespace lmc
