#include "tools/profile/work.h"

#include <algorithm>

namespace lmc {
namespace {

Work attention_work(const PlanCache& cache, const PlanStage& stage, const StepRecord& step) {
  // Every position that some token of the step sees is read once …
  const auto last = step.position + step.info.tokens;
  const auto seen = static_cast<double>(std::min(last, cache.span + step.info.tokens - 1));
  const double element = cache.dtype == DType::kv_f16 ? 2 : 4;
  Work out;
  out.bytes = seen * 2 * static_cast<double>(cache.kv_heads * cache.head_dim) * element;
  // … and takes part in two products of each token behind it.
  const auto heads = static_cast<double>(stage.work.heads);
  for (int64_t p = step.position; p < last; ++p)
    out.ops += 4 * heads * static_cast<double>(cache.head_dim * std::min(p + 1, cache.span));
  return out;
}

double buffer_bytes_per_token(const StepPlan& plan, const PlanStage& stage) {
  double bytes = 0;
  for (const PlanOperand& o : stage.operands) {
    if (o.space == Space::arena)
      bytes += static_cast<double>(plan.buffers[static_cast<size_t>(o.buffer)].bytes) /
               static_cast<double>(plan.max_tokens);
  }
  return bytes;
}

Work memory_and_math(const Plan& plan, const PlanStage& stage, const StepRecord& step) {
  if (stage.work.heads > 0) {
    for (const PlanOperand& o : stage.operands) {
      if (o.space == Space::kv) return attention_work(plan.caches[static_cast<size_t>(o.index)], stage, step);
    }
  }
  const int64_t count = stage.work.over_rows ? step.info.rows : step.info.tokens;
  if (count == 0) return {};
  return {stage.work.weight_bytes, stage.work.flops * static_cast<double>(count),
          stage.work.format && is_quantised(*stage.work.format)};
}

}  // namespace

Work work_of(const Plan& plan, const PlanStage& stage, const StepRecord& step) {
  Work out = memory_and_math(plan, stage, step);
  const int64_t count = stage.work.over_rows ? step.info.rows : step.info.tokens;
  out.buffer_bytes = buffer_bytes_per_token(step.decode_plan ? plan.decode : plan.prefill, stage) *
                     static_cast<double>(count);
  return out;
}

}  // namespace lmc
