#include "tools/measure/profile/work.h"

#include "ir/cost.h"

namespace lmc {
namespace {

// Every position that some token of the step sees is read once, and takes part in two products of each token
// behind it.
Work attention_work(const AttentionWork& attention, const StepRecord& step) {
  const PositionsSeen seen = positions_seen(attention, {step.info.tokens, step.info.rows, step.position});
  Work out;
  out.bytes = seen.apart * attention.bytes;
  out.ops = seen.together * attention.flops;
  return out;
}

Work memory_and_math(const PlanStage& stage, const StepRecord& step) {
  if (stage.work.attention.span > 0) return attention_work(stage.work.attention, step);
  const int64_t count = stage.work.over_rows ? step.info.rows : step.info.tokens;
  if (count == 0) return {};
  return {stage.work.weight_bytes, stage.work.flops * static_cast<double>(count),
          stage.work.format && is_quantised(*stage.work.format)};
}

}  // namespace

Work work_of(const StepPlan& plan, const PlanStage& stage, const StepRecord& step) {
  Work out = memory_and_math(stage, step);
  const int64_t count = stage.work.over_rows ? step.info.rows : step.info.tokens;
  out.buffer_bytes = buffer_bytes(plan, stage) * static_cast<double>(count);
  return out;
}

}  // namespace lmc
