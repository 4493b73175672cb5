// Arena layout. Execution is only partially ordered, so "earlier in the list" proves nothing: two buffers may
// share bytes only if every stage touching the one lies before the writer of the other on a path.
#include <algorithm>
#include <vector>

#include "codegen/lowering/planner.h"
#include "ir/graph_algorithms.h"
#include "ir/kernel_abi.h"
#include "ir/schedule_check.h"

namespace lmc {

int64_t place_buffers(std::vector<PlanBuffer>& buffers, const std::vector<std::vector<int32_t>>& users,
                      const std::vector<PlanStage>& stages) {
  const std::vector<std::vector<bool>> before = stages_before(stages);
  const auto all_before_writer = [&](size_t a, size_t b) {
    const auto writer = static_cast<size_t>(users[b][0]);
    return std::all_of(users[a].begin(), users[a].end(),
                       [&](int32_t u) { return before[writer][static_cast<size_t>(u)]; });
  };
  std::vector<std::vector<int>> conflicts(buffers.size());
  for (size_t a = 0; a < buffers.size(); ++a) {
    for (size_t b = a + 1; b < buffers.size(); ++b) {
      if (all_before_writer(a, b) || all_before_writer(b, a)) continue;
      conflicts[a].push_back(static_cast<int>(b));
      conflicts[b].push_back(static_cast<int>(a));
    }
  }
  // One slot per colour, as large as its largest buffer.
  const std::vector<int> colour = greedy_colouring(conflicts);
  std::vector<int64_t> size;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const auto c = static_cast<size_t>(colour[i]);
    if (c >= size.size()) size.resize(c + 1, 0);
    size[c] = std::max(size[c], buffers[i].bytes);
  }
  std::vector<int64_t> offset(size.size(), 0);
  int64_t total = 0;
  for (size_t c = 0; c < size.size(); ++c) {
    offset[c] = total;
    total += (size[c] + 63) / 64 * 64;
  }
  for (size_t i = 0; i < buffers.size(); ++i) buffers[i].offset = offset[static_cast<size_t>(colour[i])];
  return total + kReadPastEnd;
}

}  // namespace lmc
