#include "tools/price.h"

#include <algorithm>

#include "codegen/codegen.h"
#include "passes/lowering.h"

namespace lmc {
namespace {

double buffer_bytes(const StepPlan& plan, const PlanStage& stage) {
  double bytes = 0;
  for (const PlanOperand& o : stage.operands) {
    if (o.space == Space::arena)
      bytes += static_cast<double>(plan.buffers[static_cast<size_t>(o.buffer)].bytes);
  }
  return bytes / static_cast<double>(plan.max_tokens);
}

}  // namespace

Price price_of(const StepPlan& plan, const CostModel& model) {
  Price out;
  for (const PlanStage& s : plan.stages) {
    const double buffers = buffer_bytes(plan, s);
    ++out.kernels;
    out.weight_bytes += s.work.weight_bytes;
    out.activation_bytes += buffers;
    out.flops += s.work.flops;
    out.seconds += model.launch_seconds +
                   std::max({s.work.weight_bytes / model.weight_bytes_per_second,
                             buffers / model.buffer_bytes_per_second, s.work.flops / model.flops_per_second});
  }
  return out;
}

Price price_of(const Graph& g) {
  PassOptions quiet;
  quiet.repro_path.clear();
  return price_of(plan_only(lower(g.clone(), {}, quiet), {}).plan.decode);
}

}  // namespace lmc
