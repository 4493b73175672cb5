#include "passes/sharding/cut.h"

#include <algorithm>

#include "ir/block_format.h"

namespace lmc {
namespace {

// Long rows of plain numbers are cut where a cache line begins.
constexpr int64_t kFloats = 16;

}  // namespace

Stretch hull(const Stretch& a, const Stretch& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {std::min(a.first, b.first), std::max(a.end, b.end)};
}

std::vector<Stretch> cut_evenly(int64_t length, int64_t unit, int64_t pieces) {
  const int64_t units = (length + unit - 1) / unit;
  std::vector<Stretch> out;
  for (int64_t i = 0; i < pieces; ++i)
    out.push_back({i * units / pieces * unit, std::min((i + 1) * units / pieces * unit, length)});
  return out;
}

std::vector<Stretch> cut_columns(const Graph& g, const Op& linear, int64_t ranks) {
  const Type& w = g.type(linear.operands[1]);
  int64_t unit = w.last() >= kVirtualShards * kFloats ? kFloats : 1;
  if (is_quantised(w.dtype)) unit = std::max(kQ8Block, block_format(w.dtype).values);
  const int64_t units = (w.last() + unit - 1) / unit;
  int64_t pieces = std::max(kVirtualShards, ranks);
  while (pieces > units) pieces /= 2;
  return cut_evenly(w.last(), unit, pieces);
}

std::vector<Stretch> join_neighbours(const std::vector<Stretch>& pieces, int64_t count) {
  std::vector<Stretch> out;
  for (size_t i = 0; i < pieces.size(); i += static_cast<size_t>(count))
    out.push_back({pieces[i].first, pieces[i + static_cast<size_t>(count) - 1].end});
  return out;
}

}  // namespace lmc
