#include "tools/profile/work.h"

#include <algorithm>

#include "ir/cost.h"

namespace lmc {
namespace {

Work attention_work(const AttentionWork& attention, const StepRecord& step) {
  // Every position that some token of the step sees is read once …
  const auto last = step.position + step.info.tokens;
  const auto seen = static_cast<double>(std::min(last, attention.span + step.info.tokens - 1));
  Work out;
  out.bytes = seen * attention.bytes;
  // … and takes part in two products of each token behind it.
  for (int64_t p = step.position; p < last; ++p)
    out.ops += attention.flops * static_cast<double>(std::min(p + 1, attention.span));
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
