#include "runtime/bindings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "ir/error.h"
#include "ir/stage_label.h"

namespace lmc {
namespace {

void check(bool ok, const PlanStage& stage, const std::string& problem) {
  if (!ok)
    throw Error("the plan does not fit: stage '" + stage_label(stage.work) + "' (" + stage.symbol + ") " +
                problem);
}

void* base(const PlanStage& stage, const PlanOperand& o, const Bindings& b, int64_t arena_bytes) {
  const auto i = static_cast<size_t>(o.index);
  void* out = nullptr;
  switch (o.space) {
    case Space::arena:
      check(o.offset >= 0 && o.offset + o.bytes <= arena_bytes, stage, "uses memory outside the arena");
      out = b.arena;
      break;
    case Space::weight:
      check(i < b.weights.size(), stage, "uses weight " + std::to_string(o.index) + ", which is not there");
      // Operands are one array of void*; the plan says which are written, and weights never are.
      out = const_cast<void*>(b.weights[i]);
      break;
    case Space::kv:
      check(i < b.caches.size(), stage, "uses cache " + std::to_string(o.index) + ", which is not there");
      // No address: kernels look there in the list of the row's sequence (StepInfo::caches).
      return reinterpret_cast<void*>(static_cast<uintptr_t>(b.caches[i]));
    case Space::input:
      check(i < b.inputs.size(), stage, "uses input " + std::to_string(o.index) + ", which is not there");
      out = b.inputs[i];
      break;
    case Space::output:
      out = b.output;
      break;
  }
  check(out != nullptr || o.bytes == 0, stage, "has an operand without memory");
  return out ? static_cast<std::byte*>(out) + o.offset : nullptr;
}

bool makes_logits(const PlanStage& stage) {
  return std::any_of(stage.operands.begin(), stage.operands.end(),
                     [](const PlanOperand& o) { return o.written && o.space == Space::output; });
}

}  // namespace

// Ids are those of the whole vocabulary: the ranks' parts of it lie one behind the other. Who has none says
// so.
void BoundStage::gather_best(const StepInfo& step) const {
  const auto own = static_cast<size_t>(gather->rank);
  std::fill(best.begin(), best.end(), TileArgmax{-INFINITY, std::numeric_limits<int32_t>::max()});
  const int64_t first =
      std::accumulate(gather->bytes.begin(), gather->bytes.begin() + gather->rank, int64_t{0});
  for (int64_t i = 0; i < argmax_tiles; ++i) {
    TileArgmax& mine = best[own];
    TileArgmax tile = step.argmax[i];
    tile.id += static_cast<int32_t>(first / int64_t{sizeof(float)});
    if (std::isnan(mine.value)) break;
    if (std::isnan(tile.value) || tile.value > mine.value || (tile.value == mine.value && tile.id < mine.id))
      mine = tile;
  }
  const std::vector<int64_t> each(best.size(), int64_t{sizeof(TileArgmax)});
  collective->all_gather(reinterpret_cast<std::byte*>(best.data()), 1,
                         {each, gather->rank, static_cast<int64_t>(best.size_bytes()), gather->to});
}

std::vector<BoundStage> bind_stages(const StepPlan& plan, const Bindings& bindings) {
  if (bindings.kernels.size() != plan.stages.size()) {
    throw Error("the plan does not fit: it has " + std::to_string(plan.stages.size()) + " stages, but " +
                std::to_string(bindings.kernels.size()) + " kernels were given");
  }
  std::vector<BoundStage> out;
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    const PlanStage& stage = plan.stages[i];
    check(bindings.kernels[i] != nullptr, stage, "has no kernel");
    check(stage.tiles >= 1, stage, "has no tiles");
    for (const int32_t d : stage.deps) {
      check(d >= 0 && static_cast<size_t>(d) < i, stage,
            "waits for stage " + std::to_string(d) + ", not an earlier one");
    }
    BoundStage bound;
    bound.kernel = bindings.kernels[i];
    bound.tiles = stage.tiles;
    for (const PlanOperand& o : stage.operands) {
      bound.operands.push_back(base(stage, o, bindings, plan.arena_bytes));
      if (stage.gather && o.written) bound.gathered = static_cast<std::byte*>(bound.operands.back());
    }
    if (stage.gather) {
      check(bindings.collective != nullptr, stage, "sends to other ranks, and there are none");
      check(bound.gathered != nullptr, stage, "has nothing to gather");
      bound.collective = bindings.collective;
      bound.gather = &*stage.gather;
      bound.over_rows = stage.work.over_rows;
      if (makes_logits(stage)) {
        bound.best = bindings.best;
        bound.stays = bindings.logits_stay;
        if (plan.argmax_stage >= 0)
          bound.argmax_tiles = plan.stages[static_cast<size_t>(plan.argmax_stage)].tiles;
      }
    }
    out.push_back(std::move(bound));
  }
  return out;
}

}  // namespace lmc
