#include "runtime/share.h"

#include <algorithm>
#include <cmath>

namespace lmc {
namespace {

// A draw is an atomic increment of a cache line that all workers want: tens of nanoseconds.
constexpr double kShortestDraw = 1e-6;
// So that whoever is late or slow leaves no more than a little for the end.
constexpr int64_t kDrawsPerRunner = 4;

}  // namespace

Share share_of(const StepPlan& plan, size_t index, int64_t tokens, int threads, const StepCost& cost) {
  const PlanStage& stage = plan.stages[index];
  const StepShape step{tokens, tokens, 0};
  Share out{cost.ways(index, step, threads), stage.tiles};
  if (out.runners == 1) return out;
  if (stage.work.attention.span > 0) return {out.runners, 1};  // a tile may take long
  const double seconds = cost.stage(index, step, 1);
  const auto fewest = static_cast<int64_t>(
      std::ceil(std::min(kShortestDraw * static_cast<double>(stage.tiles) / seconds, 1e6)));
  const int64_t most = std::max<int64_t>(stage.tiles / (out.runners * kDrawsPerRunner), 1);
  out.tiles_per_draw = std::min(std::max<int64_t>(fewest, 1), most);
  return out;
}

}  // namespace lmc
