#include "runtime/serving/logprobs.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "runtime/sampler.h"

namespace lmc {

TokenChoice choice_of(int32_t id, std::span<const float> logits, int64_t top) {
  const double most = logits[static_cast<size_t>(greedy(logits))];
  double sum = 0;
  for (const float l : logits) sum += std::exp(static_cast<double>(l) - most);
  const double all = most + std::log(sum);
  const auto logprob = [&](int32_t i) { return static_cast<double>(logits[static_cast<size_t>(i)]) - all; };
  TokenChoice out{id, logprob(id)};
  std::vector<int32_t> ids(top > 0 ? logits.size() : 0);
  std::iota(ids.begin(), ids.end(), 0);
  const auto some = ids.begin() + std::min<ptrdiff_t>(top, static_cast<ptrdiff_t>(ids.size()));
  std::partial_sort(ids.begin(), some, ids.end(), [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  });
  for (auto it = ids.begin(); it != some; ++it) out.top.push_back({*it, logprob(*it)});
  return out;
}

}  // namespace lmc
