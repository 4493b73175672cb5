#include "tools/graphs/explore/price.h"

#include <algorithm>
#include <functional>
#include <map>

#include "codegen/codegen.h"
#include "ir/cost.h"
#include "ir/op_def.h"
#include "ir/stage_label.h"
#include "passes/engine/lowering.h"

namespace lmc {
namespace {

// By Op::source: the op at the top that it is, or is inside of.
std::vector<OpId> top_by_source(const Graph& g) {
  std::vector<OpId> out;
  const std::function<void(const Graph&, OpId)> count = [&](const Graph& part, OpId top) {
    for (OpId id : topo_order(part)) {
      out.push_back(top.valid() ? top : id);
      if (part.op(id).body) count(*part.op(id).body, out.back());
    }
  };
  count(g, {});
  return out;
}

int number_of(KernelMap& map, std::map<std::string, int>& known, const std::string& label) {
  const auto [it, fresh] = known.emplace(label, static_cast<int>(map.labels.size()));
  if (fresh) {
    map.labels.push_back(label);
    map.calls.push_back(0);
  }
  return it->second;
}

KernelMap no_kernels(const Graph& g, const std::string& obstacle) {
  return {{}, {}, {}, SideTable<OpId, int>(g.num_op_ids(), -1), 0, 0, obstacle};
}

}  // namespace

std::vector<OpPrice> price_ops(const Graph& g, const std::vector<OpId>& ops, const MachineFigures& machine) {
  const SideTable<ValueId, char> constant = weight_only(g);
  std::vector<OpPrice> out;
  for (OpId id : ops) {
    OpPrice p;
    if (!constant[g.op(id).results[0]]) {
      const Cost cost = op_cost(g, id);
      p = {cost.weight_bytes, cost.activation_bytes, cost.flops, op_seconds(g, id, machine)};
    }
    out.push_back(p);
  }
  return out;
}

KernelMap kernels_of(const Graph& g, const MachineFigures& machine, int64_t position) {
  KernelMap out = no_kernels(g, "");
  try {
    PassOptions quiet;
    quiet.repro_path.clear();
    Graph numbered = g.clone();
    number_ops(numbered);
    const Plan plan = plan_only(lower(std::move(numbered), {}, quiet), {}).plan;
    out.stages = static_cast<int64_t>(plan.decode.stages.size());
    const StepCost cost(plan.decode, machine);
    const StepShape step{1, 1, position};
    const bool shared = cost.worth_threads(step, machine.threads);
    out.step_seconds = cost.usual_step(step, machine.threads);
    const std::vector<OpId> by_source = top_by_source(g);
    std::map<std::string, int> known;
    std::map<int, double> sums;
    for (size_t s = 0; s < plan.decode.stages.size(); ++s) {
      const PlanStage& stage = plan.decode.stages[s];
      const int kernel = number_of(out, known, stage_label(stage.work, 1, 1));
      ++out.calls[static_cast<size_t>(kernel)];
      sums[kernel] += cost.stage(s, step, shared ? cost.ways(s, step, machine.threads) : 1);
      bool core = !stage.work.core.empty();
      for (const int32_t source : stage.work.ops) {
        int& of_op = out.kernel[by_source[static_cast<size_t>(source)]];
        if (of_op < 0 || core) of_op = kernel;  // in several: the one it is the core of
        core = false;
      }
    }
    for (const auto& [kernel, sum] : sums)
      out.seconds.push_back(sum / static_cast<double>(out.calls[static_cast<size_t>(kernel)]));
  } catch (const Error& e) {
    return no_kernels(g, e.what());
  }
  return out;
}

}  // namespace lmc
