#include "runtime/draft.h"

#include <algorithm>

namespace lmc {
namespace {

// How many of the tokens before `a` and before `b` are equal, at most kMostMatched.
size_t alike_before(std::span<const int32_t> s, size_t a, size_t b) {
  size_t n = 0;
  while (n < kMostMatched && n < a && s[a - 1 - n] == s[b - 1 - n]) ++n;
  return n;
}

}  // namespace

std::vector<int32_t> draft_by_lookup(std::span<const int32_t> sequence, size_t most) {
  size_t best = kLeastMatched - 1, from = 0;
  // The latest of the longest matches: what was said last is the likeliest to be said again.
  for (size_t at = sequence.size(); at-- > 1 && best < kMostMatched;) {
    const size_t alike = alike_before(sequence, at, sequence.size());
    if (alike <= best) continue;
    best = alike;
    from = at;
  }
  if (from == 0) return {};
  const auto first = sequence.begin() + static_cast<ptrdiff_t>(from);
  return {first, first + static_cast<ptrdiff_t>(std::min(most, sequence.size() - from))};
}

}  // namespace lmc
