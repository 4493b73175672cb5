#include "tools/pipeline/price.h"

#include "codegen/codegen.h"
#include "ir/cost.h"
#include "passes/engine/lowering.h"
#include "runtime/threads.h"
#include "tools/machine/machine.h"

namespace lmc {
namespace {

constexpr int64_t kBlock = 64;  // of prompts, as lmc compile makes them

}  // namespace

double Price::seconds_of_both() const {
  return seconds + (block > 0 ? block_seconds / static_cast<double>(block) : 0);
}

Price price_of(const Plan& plan, const MachineFigures& machine) {
  Price out;
  for (const PlanStage& s : plan.decode.stages) {
    ++out.kernels;
    out.weight_bytes += s.work.weight_bytes;
    out.activation_bytes += buffer_bytes(plan.decode, s);
    out.flops += s.work.flops;
  }
  out.seconds = StepCost(plan.decode, machine).usual_step({}, machine.threads);
  if (plan.prefill.stages.empty()) return out;
  out.block = plan.prefill.max_tokens;
  out.block_seconds = StepCost(plan.prefill, machine).usual_step({out.block, 1, 0}, machine.threads);
  return out;
}

Price price_of(const Graph& g, const MachineFigures& machine) {
  PassOptions trial;
  trial.trial = true;
  return price_of(plan_only(lower(g.clone(), {kBlock}, trial), {}).plan, machine);
}

PricingFigures::PricingFigures() : figures_(std::make_shared<MachineFigures>()) {
  figures_->threads = 0;
  if (const auto given = given_machine()) *figures_ = *given;
}

const MachineFigures& PricingFigures::get() const {
  if (figures_->threads == 0) *figures_ = machine_figures(default_threads());
  return *figures_;
}

}  // namespace lmc
