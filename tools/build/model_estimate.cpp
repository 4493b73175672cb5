#include "tools/build/model_estimate.h"

#include <algorithm>

#include "codegen/codegen.h"
#include "ir/op_def.h"
#include "passes/engine/lowering.h"
#include "tools/pipeline/model_flags.h"

namespace lmc {

MemoryEstimate estimate_memory(Model& m) {
  PassOptions passes;
  passes.repro_path.clear();
  ModelFlags().apply(passes, m);
  run_passes(m.graph, passes);
  CodegenOptions options;
  options.context = m.context;
  const Plan plan = plan_only(lower(m.graph.clone(), {std::min<int64_t>(64, m.context)}), options).plan;
  MemoryEstimate out;
  out.context = m.context;
  for (const PlanWeight& w : plan.weights) out.weights += w.bytes;
  for (const PlanCache& c : plan.caches) out.kv_cache += c.bytes;
  out.buffers = std::max(plan.decode.arena_bytes, plan.prefill.arena_bytes);
  return out;
}

int64_t untied_parameters(const Graph& g) {
  int64_t out = 0;
  for (const ValueId w : g.weights()) {
    bool looked_up = false;
    bool multiplied = false;
    for (const Use& u : g.value(w).uses) {
      looked_up |= g.op(u.op).def->name == "embedding";
      multiplied |= g.op(u.op).def->category == OpCategory::contraction;
    }
    out += g.type(w).elements() * (looked_up && multiplied ? 2 : 1);
  }
  return out;
}

}  // namespace lmc
