// The longest of a sorted list of texts that a text begins with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace lmc::tokenizer {

// [low, high) is sorted by `text_of(*it)`, bytewise and without doubles; none of the texts is empty. Returns
// `none` if there is no such text. The range of those that begin with what was read narrows byte by byte.
template <typename Iterator, typename TextOf>
Iterator longest_prefix(Iterator low, Iterator high, Iterator none, const TextOf& text_of,
                        std::string_view text) {
  Iterator found = none;
  for (size_t depth = 0; depth < text.size(); ++depth) {
    const auto byte_of = [&](const auto& item) { return static_cast<uint8_t>(text_of(item)[depth]); };
    const auto wanted = static_cast<uint8_t>(text[depth]);
    low = std::partition_point(low, high, [&](const auto& item) { return byte_of(item) < wanted; });
    high = std::partition_point(low, high, [&](const auto& item) { return byte_of(item) == wanted; });
    if (low == high) break;
    if (std::next(low) == high) return text.starts_with(text_of(*low)) ? low : found;
    if (text_of(*low).size() == depth + 1) found = low++;  // the shortest of a range stands first
  }
  return found;
}

}  // namespace lmc::tokenizer
