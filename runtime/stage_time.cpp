#include "runtime/stage_time.h"

#include <algorithm>
#include <cmath>

namespace lmc {
namespace {

// A draw is an atomic increment of a cache line that all workers want: tens of nanoseconds.
constexpr double kShortestDraw = 1e-6;
// So that whoever is late or slow leaves no more than a little for the end.
constexpr int64_t kDrawsPerRunner = 4;

// Its work grows with the length of the sequences, which no plan knows.
bool reads_caches(const PlanStage& stage) {
  return std::any_of(stage.operands.begin(), stage.operands.end(),
                     [](const PlanOperand& o) { return o.space == Space::kv && !o.written; });
}

// Rows are computed at a fraction of a linear's speed: they load and store what they compute with, divide,
// and an activation counts as one operation.
double speed(const PlanStage& stage, const MachineFigures& m) {
  constexpr double kOfRows = 0.1;
  return stage.work.weight_bytes > 0 ? m.flops_one : kOfRows * m.flops_one;
}

}  // namespace

double stage_seconds(const PlanStage& stage, int64_t tokens, int64_t ways, const MachineFigures& m) {
  const auto n = static_cast<double>(ways);
  const double read = ways == 1 ? m.read_one : std::max(m.read_one, std::min(n * m.read_one, m.read_all));
  return std::max(stage.work.weight_bytes / read,
                  stage.work.flops * static_cast<double>(tokens) / (n * speed(stage, m)));
}

bool worth_threads(const StepPlan& plan, int64_t tokens, int threads, const MachineFigures& m) {
  if (threads < 2) return false;
  double saved = 0;
  for (const PlanStage& s : plan.stages) {
    const int64_t ways = std::min<int64_t>(threads, s.tiles);
    saved += stage_seconds(s, tokens, 1, m) - stage_seconds(s, tokens, ways, m);
  }
  return saved > m.step_start + m.launch * static_cast<double>(plan.stages.size());
}

Share share_of(const PlanStage& stage, int64_t tokens, int threads, const MachineFigures& m) {
  Share out;
  out.runners = std::min<int64_t>(threads, stage.tiles);
  if (reads_caches(stage)) return out;
  const double seconds = stage_seconds(stage, tokens, 1, m);
  // Another worker must have more to do than it takes to tell it.
  const double worth = std::floor(seconds / m.launch);
  if (worth < static_cast<double>(out.runners))
    out.runners = std::max<int64_t>(static_cast<int64_t>(worth), 1);
  if (out.runners == 1) return {1, stage.tiles};
  const auto fewest = static_cast<int64_t>(
      std::ceil(std::min(kShortestDraw * static_cast<double>(stage.tiles) / seconds, 1e6)));
  const int64_t most = std::max<int64_t>(stage.tiles / (out.runners * kDrawsPerRunner), 1);
  out.tiles_per_draw = std::min(std::max<int64_t>(fewest, 1), most);
  return out;
}

}  // namespace lmc
