#include "tools/measure/profile/kernel_kinds.h"

#include <algorithm>
#include <map>

#include "ir/cost.h"
#include "ir/stage_label.h"
#include "tools/measure/profile/work.h"

namespace lmc {
namespace {

// Slower than this multiple of its roofline, a kernel is bound by neither memory nor arithmetic.
constexpr double kFar = 3;

}  // namespace

Bound KernelKind::bound() const {
  if (seconds > kFar * at_roofline()) return Bound::latency;
  return memory > math ? Bound::memory : Bound::compute;
}

std::string part_name(const StagePlace& place) {
  return place.layer >= 0 ? place.part : kSectionNames[static_cast<size_t>(place.section)];
}

InCache measure_in_cache(const Recorder& recorder, Session& session) {
  constexpr double kSeconds = 0.01;
  constexpr int kTimes = 3;  // others may use the machine too
  InCache out;
  for (const Phase phase : {Phase::decode, Phase::prefill}) {
    for (const StepRecord* step : recorder.steps(phase)) {
      const StepPlan& plan = recorder.plan_of(*step);
      for (size_t s = 0; s < plan.stages.size(); ++s) {
        const StageWork& work = plan.stages[s].work;
        const StepInfo shape{.tokens = step->info.tokens, .rows = step->info.rows};
        if (!work.format || work.family != "linear") continue;  // experts are other ones in each step
        if (work.over_rows && shape.rows == 0) continue;
        const std::string label = stage_label(work, shape.tokens, shape.rows);
        if (out.contains(label)) continue;
        double& best = out[label] = session.seconds_in_cache(step->decode_plan, s, shape, kSeconds);
        for (int i = 1; i < kTimes; ++i)
          best = std::min(best, session.seconds_in_cache(step->decode_plan, s, shape, kSeconds));
      }
    }
  }
  return out;
}

std::vector<KernelKind> kernel_kinds(const Recorder& recorder, std::span<const StepRecord* const> steps,
                                     const Peaks& peaks, const MachineFigures& machine,
                                     const InCache& in_cache) {
  const StepCost decode(recorder.plan().decode, machine), prefill(recorder.plan().prefill, machine);
  std::map<std::string, KernelKind> kinds;
  for (const StepRecord* step : steps) {
    const StepPlan& plan = recorder.plan_of(*step);
    const StepCost& cost = step->decode_plan ? decode : prefill;
    const StepShape shape{step->info.tokens, step->info.rows, step->position};
    const bool shared = cost.worth_threads(shape, machine.threads);
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      const PlanStage& stage = plan.stages[s];
      const Work work = work_of(plan, stage, *step);
      KernelKind& k = kinds[stage_label(stage.work, step->info.tokens, step->info.rows)];
      k.family = stage.work.family;
      k.role = stage.work.role;
      k.attends = stage.work.heads > 0;
      k.contracts = stage.work.format.has_value();
      if (k.calls == 0) k.part = part_name(recorder.places_of(*step)[s]);
      k.int8 = work.int8;
      ++k.calls;
      k.seconds += step->stages[s].span;
      k.predicted += cost.stage(s, shape, shared ? cost.ways(s, shape, machine.threads) : 1);
      k.busy += step->stages[s].busy;
      k.bytes += work.bytes;
      k.ops += work.ops;
      k.buffer_bytes += work.buffer_bytes;
    }
  }
  std::vector<KernelKind> out;
  for (auto& [label, k] : kinds) {
    k.label = label;
    if (const auto known = in_cache.find(label); known != in_cache.end()) k.in_cache = known->second;
    k.steps = static_cast<int64_t>(steps.size());
    k.memory = peaks.read > 0 ? k.bytes / peaks.read : 0;
    const double math_peak = k.int8 ? 2 * peaks.compute.most_macs() : peaks.compute.f32_flops;
    k.math = math_peak > 0 ? k.ops / math_peak : 0;
    out.push_back(k);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const KernelKind& a, const KernelKind& b) { return a.seconds > b.seconds; });
  return out;
}

}  // namespace lmc
