#include "runtime/token_counts.h"

#include <algorithm>

namespace lmc {

std::span<const TokenCount> TokenCounts::of(std::span<const int32_t> tokens) {
  found_.clear();
  if (tokens.empty()) return found_;
  const auto ids = static_cast<size_t>(*std::max_element(tokens.begin(), tokens.end())) + 1;
  if (places_.size() < ids) places_.resize(ids);
  for (const int32_t id : tokens) {
    uint32_t& place = places_[static_cast<size_t>(id)];
    if (place == 0) {
      found_.push_back({id, 0});
      place = static_cast<uint32_t>(found_.size());
    }
    ++found_[place - 1].count;
  }
  for (const TokenCount& f : found_) places_[static_cast<size_t>(f.id)] = 0;
  return found_;
}

}  // namespace lmc
