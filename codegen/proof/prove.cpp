#include "codegen/proof/prove.h"

#include <algorithm>
#include <set>

#include "codegen/lowering/kernel_of_group.h"
#include "codegen/proof/kernel_run.h"
#include "ir/effects.h"
#include "ir/extract.h"
#include "ir/op_def.h"
#include "ir/stage_label.h"

namespace lmc {
namespace {

class Prover {
 public:
  Prover(const Lowered& lowered, const LoadedKernels& kernels, bool all)
      : lowered_(lowered), kernels_(kernels), all_(all) {}

  void step(const Graph& g, const StepPlan& plan, const std::string& name) {
    const GroupKernels groups(g, lowered_.block);
    size_t stage = 0;
    for (OpId id : run_order(g)) {
      if (groups.is_weight(g.result(id))) continue;
      if (stage >= plan.stages.size()) throw Error("the plan does not belong to the lowered graph " + name);
      const PlanStage& s = plan.stages[stage++];
      if (out.wrong || !seen_.insert(s.symbol).second) continue;
      ++out.kernels;
      prove(g, id, s, groups.of(id).spec, name);
    }
  }

  Proof out;

 private:
  void prove(const Graph& g, OpId id, const PlanStage& s, const KernelSpec& spec, const std::string& step) {
    const auto function = reinterpret_cast<KernelFn>(kernels_.find(s.symbol));
    // 31 tokens are one of each number of rows that kernels hold in registers, the largest being 16.
    const auto most = [&](int64_t tokens) { return std::min(tokens, spec.tokens); };
    for (const int64_t tokens : std::set<int64_t>{1, most(7), most(31)}) {
      proof::KernelRun run(spec, tokens, all_);
      const std::optional<proof::Difference> d = run.compare(function);
      if (!d) continue;
      out.wrong = WrongKernel{s.symbol,
                              stage_label(s.work, tokens, tokens),
                              step,
                              g.value(g.result(id)).name,
                              tokens,
                              d->output,
                              d->row,
                              d->element,
                              d->got,
                              d->want,
                              extract(g, std::vector<OpId>{id}).graph};
      return;
    }
    ++out.verified;
  }

  const Lowered& lowered_;
  const LoadedKernels& kernels_;
  const bool all_;
  std::set<std::string> seen_;
};

}  // namespace

std::string WrongKernel::str() const {
  return "kernel " + symbol + " (" + label + "), group %" + group + " of " + step + ", computes " +
         std::to_string(got) + " at row " + std::to_string(row) + ", element " + std::to_string(element) +
         " of %" + output + " in a step of " + std::to_string(tokens) +
         ", where the evaluator of its group says " + std::to_string(want);
}

Proof prove_kernels(const Lowered& lowered, const Plan& plan, const LoadedKernels& kernels, bool all) {
  Prover prover(lowered, kernels, all);
  prover.step(lowered.decode, plan.decode, "decode");
  prover.step(lowered.prefill, plan.prefill, "prefill");
  if (!plan.hidden.stages.empty()) prover.step(lowered.hidden, plan.hidden, "hidden");
  if (!plan.draft.stages.empty()) prover.step(lowered.draft, plan.draft, "draft");
  return std::move(prover.out);
}

}  // namespace lmc
