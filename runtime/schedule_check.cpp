#include "runtime/schedule_check.h"

#include <utility>

#include "runtime/random.h"

namespace lmc {
namespace {

using Bits = std::vector<bool>;

// before[j][i]: stage i is finished before stage j starts.
std::vector<Bits> ancestors(const std::vector<PlanStage>& stages) {
  std::vector<Bits> before(stages.size(), Bits(stages.size(), false));
  for (size_t j = 0; j < stages.size(); ++j) {
    for (const int32_t d : stages[j].deps) {
      const auto i = static_cast<size_t>(d);
      if (d < 0 || i >= j) continue;
      before[j][i] = true;
      for (size_t k = 0; k < i; ++k) {
        if (before[i][k]) before[j][k] = true;
      }
    }
  }
  return before;
}

bool same_bytes(const PlanOperand& a, const PlanOperand& b) {
  if (a.space != b.space || a.bytes <= 0 || b.bytes <= 0) return false;
  const bool indexed = a.space != Space::arena && a.space != Space::output;
  if (indexed && a.index != b.index) return false;
  return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

const char* space_name(Space s) {
  switch (s) {
    case Space::arena:
      return "arena";
    case Space::weight:
      return "weight";
    case Space::kv:
      return "cache";
    case Space::input:
      return "input";
    case Space::output:
      return "output";
  }
  return "?";
}

std::string name(const PlanStage& s, size_t i) { return "stage " + std::to_string(i) + " '" + s.label + "'"; }

// The first conflict between two stages, or nothing.
std::string conflict(const PlanStage& a, const PlanStage& b) {
  for (const PlanOperand& x : a.operands) {
    for (const PlanOperand& y : b.operands) {
      if ((x.written || y.written) && same_bytes(x, y)) {
        return std::string(space_name(x.space)) + " " + std::to_string(x.index) + ", bytes " +
               std::to_string(x.offset) + "+" + std::to_string(x.bytes) + " and " + std::to_string(y.offset) +
               "+" + std::to_string(y.bytes);
      }
    }
  }
  return "";
}

}  // namespace

std::vector<std::string> check_schedule(const StepPlan& plan) {
  std::vector<std::string> out;
  const std::vector<Bits> before = ancestors(plan.stages);
  for (size_t j = 0; j < plan.stages.size(); ++j) {
    const PlanStage& b = plan.stages[j];
    for (const int32_t d : b.deps) {
      if (d < 0 || static_cast<size_t>(d) >= j)
        out.push_back(name(b, j) + " waits for stage " + std::to_string(d));
    }
    for (size_t i = 0; i < j; ++i) {
      if (before[j][i]) continue;
      const std::string what = conflict(plan.stages[i], b);
      if (!what.empty())
        out.push_back(name(plan.stages[i], i) + " and " + name(b, j) + " are not ordered: " + what);
    }
  }
  return out;
}

std::vector<TileRef> random_tile_order(const StepPlan& plan, uint64_t seed) {
  Random random(seed);
  const size_t n = plan.stages.size();
  std::vector<size_t> waiting(n);      // deps not finished
  std::vector<int64_t> unfinished(n);  // tiles
  std::vector<std::vector<size_t>> successors(n);
  std::vector<TileRef> ready, order;
  std::vector<size_t> released;
  for (size_t i = 0; i < n; ++i) {
    waiting[i] = plan.stages[i].deps.size();
    unfinished[i] = plan.stages[i].tiles;
    for (const int32_t d : plan.stages[i].deps) successors[static_cast<size_t>(d)].push_back(i);
    if (waiting[i] == 0) released.push_back(i);
  }
  const auto finish = [&](size_t stage) {
    for (const size_t s : successors[stage]) {
      if (--waiting[s] == 0) released.push_back(s);
    }
  };
  while (!released.empty() || !ready.empty()) {
    while (!released.empty()) {
      const size_t s = released.back();
      released.pop_back();
      for (int64_t t = 0; t < plan.stages[s].tiles; ++t) ready.push_back({static_cast<int32_t>(s), t});
    }
    std::swap(ready[random.below(ready.size())], ready.back());
    const TileRef tile = ready.back();
    ready.pop_back();
    order.push_back(tile);
    const auto s = static_cast<size_t>(tile.stage);
    if (--unfinished[s] == 0) finish(s);
  }
  return order;
}

void run_in_order(const std::vector<BoundStage>& stages, const std::vector<TileRef>& order,
                  const StepInfo& step, void* scratch) {
  for (const TileRef& t : order) stages[static_cast<size_t>(t.stage)].run(step, t.tile, -1, scratch);
}

}  // namespace lmc
