// Guesses at what comes next, for speculative decoding: a guess costs one more row of a step that is made
// anyway, and is kept only where the model says the same.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lmc {

// Prompt lookup: what followed the last earlier occurrence of the sequence's longest ending. Endings of
// kMostMatched down to kLeastMatched tokens are tried; up to `most` tokens come out, none if nothing matches.
inline constexpr size_t kMostMatched = 4, kLeastMatched = 2;
std::vector<int32_t> draft_by_lookup(std::span<const int32_t> sequence, size_t most);

}  // namespace lmc
