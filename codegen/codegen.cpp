#include "codegen/codegen.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <map>

#include "codegen/backend.h"
#include "codegen/family.h"
#include "codegen/kernels/builder.h"
#include "codegen/lowering/planner.h"
#include "codegen/object_cache.h"
#include "ir/op_def.h"
#include "ir/out_of_memory.h"
#include "ir/rope_frequencies.h"

namespace lmc {
namespace {

// Names for people: lmc_linear_ffn_down_t1_3.
std::string symbol_name(const PlanStage& s, bool single, size_t number) {
  std::string out = "lmc_" + s.work.family + (s.work.role.empty() ? "" : "_" + s.work.role);
  out += single ? "_t1_" : "_tn_";
  for (char& c : out) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return out + std::to_string(number);
}

// The functions of a module, by the text of their specs.
class Kernels {
 public:
  Kernels(llvm::Module& module, const Target& target, bool emit)
      : module_(module), target_(target), emit_(emit) {}

  // Names the functions of the step's stages, and writes those that are new.
  void add(PlannedStep& step, bool time_attention) {
    for (size_t i = 0; i < step.kernels.size(); ++i) {
      step.kernels[i].timed = time_attention;
      const KernelSpec spec = step.kernels[i].canonical();
      auto [it, fresh] = symbols_.emplace(spec.text(), "");
      if (fresh) {
        it->second = symbol_name(step.plan.stages[i], spec.single(), symbols_.size() - 1);
        if (emit_) {
          KernelBuilder k(module_, target_, it->second);
          find_family(spec.family).emit(k, spec);
        }
      }
      step.plan.stages[i].symbol = it->second;
    }
  }
  size_t count() const { return symbols_.size(); }

 private:
  llvm::Module& module_;
  const Target& target_;
  const bool emit_;
  std::map<std::string, std::string> symbols_;
};

// One sequence is either longer than all borders or than none: a session could not know what to feed again.
int64_t common_rope_border(const Graph& g) {
  int64_t common = 0;
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    if (op.body) {
      const int64_t inside = common_rope_border(*op.body);
      if (common > 0 && inside > 0 && inside != common)
        throw Error(op.loc, "rope_angles change their factors at different positions");
      common = std::max(common, inside);
      continue;
    }
    const int64_t border = op.def->name == "rope_angles" ? rope_border(op.attrs) : 0;
    if (border > 0 && common > 0 && border != common)
      throw Error(op.loc, "rope_angles changes its factors at " + std::to_string(border) +
                              " positions, another one at " + std::to_string(common));
    common = std::max(common, border);
  }
  return common;
}

// Fills in the object, from the cache where it is there.
void compile(llvm::Module& module, const Target& target, const CodegenOptions& options, CodegenResult& out) {
  std::string problem;
  llvm::raw_string_ostream problem_stream(problem);
  if (llvm::verifyModule(module, &problem_stream)) throw Error("emitted LLVM IR is not valid: " + problem);
  const ObjectCache cache(options.want_llvm || options.want_assembly ? "" : options.cache_folder);
  const std::string key = ObjectCache::key(module, target);
  if (std::optional<std::string> object = cache.find(key)) {
    out.object = std::move(*object);
    out.from_cache = true;
    return;
  }
  optimise(module, target);
  if (options.want_llvm) {
    llvm::raw_string_ostream stream(out.llvm_ir);
    module.print(stream, nullptr);
  }
  if (options.want_assembly) out.assembly = to_assembly(module, target);
  out.object = to_object(module, target);
  cache.store(key, out.object);
}

CodegenResult run(Lowered lowered, const CodegenOptions& options, bool emit) {
  const NotUnwound llvm;
  const Target& target = find_target(lowered.target);
  const SharedPlan shared = plan_shared(lowered);
  PlannedStep decode = plan_step(lowered.decode, shared, 1, lowered.block);
  PlannedStep prefill = plan_step(lowered.prefill, shared, lowered.block, lowered.block);
  const bool has_hidden = lowered.hidden.num_op_ids() > 0;
  PlannedStep hidden;
  if (has_hidden) hidden = plan_step(lowered.hidden, shared, lowered.block, lowered.block);
  PlannedStep draft;
  if (lowered.draft.num_op_ids() > 0) draft = plan_step(lowered.draft, shared, 1, lowered.block);

  llvm::LLVMContext context;
  llvm::Module module("lmc", context);
  if (emit) prepare_module(module, target);
  Kernels kernels(module, target, emit);
  kernels.add(decode, options.time_attention);
  kernels.add(prefill, options.time_attention);
  kernels.add(hidden, options.time_attention);
  kernels.add(draft, options.time_attention);

  CodegenResult out;
  out.plan.target = target.name();
  out.plan.model = lowered.model.name;
  out.plan.context = options.context;
  out.plan.vocab = lowered.model.type(lowered.model.outputs()[0]).last();
  if (has_hidden) out.plan.hidden_size = lowered.hidden.type(lowered.hidden.outputs()[0]).last();
  out.plan.rope_border = common_rope_border(lowered.model);
  for (const PlanStage& s : decode.plan.stages) {
    if (!s.gather) continue;
    out.plan.ranks = static_cast<int64_t>(s.gather->bytes.size());
    out.plan.rank = s.gather->rank;
  }
  out.plan.weights = shared.weights;
  out.plan.caches = shared.caches;
  out.plan.decode = std::move(decode.plan);
  out.plan.prefill = std::move(prefill.plan);
  out.plan.hidden = std::move(hidden.plan);
  out.plan.draft = std::move(draft.plan);
  out.packs = shared.packs;
  out.kernels = kernels.count();
  if (emit) compile(module, target, options, out);
  out.graphs = std::move(lowered);
  return out;
}

}  // namespace

CodegenResult emit(Lowered lowered, const CodegenOptions& options) {
  return run(std::move(lowered), options, true);
}

CodegenResult plan_only(Lowered lowered, const CodegenOptions& options) {
  return run(std::move(lowered), options, false);
}

}  // namespace lmc
