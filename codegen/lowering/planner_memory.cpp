// Arena layout. Execution is only partially ordered, so "earlier in the list" proves nothing: two buffers may
// share bytes only if every stage touching the one lies before the writer of the other on a path.
#include <algorithm>
#include <vector>

#include "codegen/lowering/planner.h"
#include "ir/graph_algorithms.h"
#include "ir/kernel_abi.h"
#include "ir/reach.h"
#include "ir/schedule_check.h"

namespace lmc {
namespace {

// By buffer, those that may not share bytes with it. Buffers are numbered in the order of their writers, so
// of two it is the users of the first that must all lie before the writer of the second.
std::vector<std::vector<int>> conflicts_of(const std::vector<std::vector<int32_t>>& users,
                                           const std::vector<PlanStage>& stages) {
  std::vector<int> user, buffer;  // of all buffers in a row
  std::vector<size_t> end;        // by buffer, where its users end
  for (size_t b = 0; b < users.size(); ++b) {
    user.insert(user.end(), users[b].begin(), users[b].end());
    buffer.resize(user.size(), static_cast<int>(b));
    end.push_back(user.size());
  }
  std::vector<std::vector<int>> out(users.size());
  for_reached(stages_before(stages), user, [&](size_t first, const std::vector<ReachRow>& rows) {
    const size_t count = std::min(kReachBlock, user.size() - first);
    for (size_t b = static_cast<size_t>(buffer[first]) + 1; b < users.size(); ++b) {
      const ReachRow unordered = ~rows[static_cast<size_t>(users[b][0])];
      for (size_t c = unordered._Find_first(); c < count;) {
        const int a = buffer[first + c];
        if (static_cast<size_t>(a) >= b) break;
        if (out[b].empty() || out[b].back() != a) out[b].push_back(a);
        c = unordered._Find_next(end[static_cast<size_t>(a)] - first - 1);  // one user is enough
      }
    }
  });
  for (size_t b = 0; b < out.size(); ++b) {
    for (size_t i = 0; i < out[b].size() && static_cast<size_t>(out[b][i]) < b; ++i)
      out[static_cast<size_t>(out[b][i])].push_back(static_cast<int>(b));
  }
  return out;
}

}  // namespace

int64_t place_buffers(std::vector<PlanBuffer>& buffers, const std::vector<std::vector<int32_t>>& users,
                      const std::vector<PlanStage>& stages) {
  const std::vector<std::vector<int>> conflicts = conflicts_of(users, stages);
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
