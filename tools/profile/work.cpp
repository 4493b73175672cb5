#include "tools/profile/work.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace lmc {
namespace {

// Does the stage run over the rows whose logits are wanted, not over all tokens?
bool over_rows(const PlanStage& stage) {
  const auto wanted = static_cast<int64_t>(StepInput::out_rows);
  return stage.label.find("[R,") != std::string::npos ||
         std::any_of(stage.operands.begin(), stage.operands.end(),
                     [&](const PlanOperand& o) { return o.space == Space::input && o.index == wanted; });
}

bool has_int8_weights(const Plan& plan, const PlanStage& stage) {
  return std::any_of(stage.operands.begin(), stage.operands.end(), [&](const PlanOperand& o) {
    return o.space == Space::weight && plan.weights[static_cast<size_t>(o.index)].layout.starts_with("q");
  });
}

// "attention [T,12,64]" → 12
int64_t query_heads(const PlanStage& stage, int64_t otherwise) {
  const size_t at = stage.label.find("[T,");
  if (at == std::string::npos) return otherwise;
  int64_t heads = otherwise;
  std::from_chars(stage.label.data() + at + 3, stage.label.data() + stage.label.size(), heads);
  return heads;
}

Work attention_work(const PlanCache& cache, const PlanStage& stage, const StepRecord& step) {
  // Every position that some token of the step sees is read once …
  const auto last = step.position + step.info.tokens;
  const auto seen = static_cast<double>(std::min(last, cache.span + step.info.tokens - 1));
  const double element = cache.dtype == DType::kv_f16 ? 2 : 4;
  Work out;
  out.bytes = seen * 2 * static_cast<double>(cache.kv_heads * cache.head_dim) * element;
  // … and takes part in two products of each token behind it.
  const auto heads = static_cast<double>(query_heads(stage, cache.kv_heads));
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
  if (stage.kind == "attention") {
    for (const PlanOperand& o : stage.operands) {
      if (o.space == Space::kv) return attention_work(plan.caches[static_cast<size_t>(o.index)], stage, step);
    }
  }
  const int64_t count = over_rows(stage) ? step.info.rows : step.info.tokens;
  if (count == 0) return {};
  return {stage.weight_bytes, stage.flops * static_cast<double>(count),
          stage.kind == "linear" && has_int8_weights(plan, stage)};
}

}  // namespace

Work work_of(const Plan& plan, const PlanStage& stage, const StepRecord& step) {
  Work out = memory_and_math(plan, stage, step);
  const int64_t count = over_rows(stage) ? step.info.rows : step.info.tokens;
  out.buffer_bytes = buffer_bytes_per_token(step.decode_plan ? plan.decode : plan.prefill, stage) *
                     static_cast<double>(count);
  return out;
}

}  // namespace lmc
