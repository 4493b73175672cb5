#include "codegen/codegen.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <map>

#include "codegen/backend.h"
#include "codegen/kernels/attention.h"
#include "codegen/kernels/linear.h"
#include "codegen/kernels/row_kernel.h"
#include "codegen/object_cache.h"
#include "codegen/planner.h"
#include "codegen/split_attention.h"
#include "ir/op_def.h"
#include "ir/rope_frequencies.h"

namespace lmc {
namespace {

// Everything a stage's code depends on, values numbered by first appearance: equal keys, equal code. The 26
// layers of a model share their kernels this way.
std::string stage_key(const Stage& s) {
  const Graph& g = *s.graph;
  std::map<ValueId, int> number;
  std::string key = s.plan.kind + (s.single ? " single" : "") + (s.over_rows ? " rows" : "") +
                    (s.halves.empty() ? "" : " halves") + (s.timed ? " timed" : "") +
                    (s.ranked.valid() ? " ranked " : " ") + std::to_string(s.tokens_per_tile) + " " +
                    std::to_string(s.groups_per_tile) + " " + std::to_string(s.splits) + "\n";
  const auto place = [](const Slot& slot) {
    return "@" + std::to_string(slot.operand) + "+" + std::to_string(slot.offset) + "*" +
           std::to_string(slot.stride) + slot.layout +
           (slot.sub_row ? "/" + std::to_string(slot.sub_row) : "");
  };
  const auto value = [&](ValueId v) {
    const auto [it, fresh] = number.emplace(v, static_cast<int>(number.size()));
    std::string out = " %" + std::to_string(it->second);
    if (!fresh) return out;
    out += ":" + g.type(v).str();
    if (const auto slot = s.slots.find(v); slot != s.slots.end()) out += place(slot->second);
    if (const auto slot = s.published.find(v); slot != s.published.end()) out += "=" + place(slot->second);
    if (const auto c = s.caches.find(v); c != s.caches.end())
      out += "cap" + std::to_string(c->second.capacity);
    return out;
  };
  for (OpId id : s.all_ops()) {
    const Op& op = g.op(id);
    key += (id == s.core ? "core " : "") + op.def->name;
    for (ValueId v : op.operands) key += value(v);
    key += " ->";
    for (ValueId v : op.results) key += value(v);
    for (const auto& [name, attr] : op.attrs) {
      if (name != "role") key += " " + name + "=" + attr_text(attr);
    }
    key += "\n";
  }
  return key;
}

void emit_stage(llvm::Module& module, const Target& target, const Stage& stage, const std::string& symbol) {
  KernelBuilder k(module, target, symbol);
  switch (stage.kind) {
    case StageKind::row:
      return emit_row_kernel(k, stage);
    case StageKind::linear:
      return emit_linear_kernel(k, stage);
    case StageKind::attention:
      return emit_attention_kernel(k, stage);
  }
}

// Names for people: lmc_linear_ffn_down_t1_3.
std::string symbol_name(const Stage& s, size_t number) {
  std::string out = "lmc_" + s.plan.kind;
  if (s.kind == StageKind::linear) {
    const std::string& role = attr_string(s.graph->op(s.core), "role");
    if (!role.empty()) out += "_" + role;
  }
  out += s.single ? "_t1_" : "_tn_";
  for (char& c : out) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return out + std::to_string(number);
}

StepPlan emit_step(PlannedStep& step, llvm::Module* module, const Target& target, bool time_attention,
                   std::map<std::string, std::string>& known) {
  for (size_t i = 0; i < step.stages.size(); ++i) {
    step.stages[i].timed = time_attention && step.stages[i].kind == StageKind::attention;
    const std::string key = stage_key(step.stages[i]);
    auto it = known.find(key);
    if (it == known.end()) {
      it = known.emplace(key, symbol_name(step.stages[i], known.size())).first;
      if (module) emit_stage(*module, target, step.stages[i], it->second);
    }
    step.plan.stages[i].symbol = it->second;
  }
  return step.plan;
}

// One sequence is either longer than all borders or than none: a session could not know what to feed again.
int64_t common_rope_border(const Graph& g) {
  int64_t common = 0;
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    const int64_t border = op.def->name == "rope_angles" ? rope_border(op.attrs) : 0;
    if (border > 0 && common > 0 && border != common)
      throw Error(op.loc, "rope_angles changes its factors at " + std::to_string(border) +
                              " positions, another one at " + std::to_string(common));
    common = std::max(common, border);
  }
  return common;
}

CodegenResult run(const Graph& g, const CodegenOptions& options, bool emit) {
  const Target& target = find_target(options.target);
  FlatGraph flat = flatten(g);
  const FlatGraph one_token = split_attention(flat);
  const SharedPlan shared = plan_shared(flat.graph, options.prefill_tokens);
  PlannedStep decode = plan_step(one_token, plan_shared(one_token.graph, options.prefill_tokens), 1);
  PlannedStep prefill = plan_step(flat, shared, options.prefill_tokens);

  llvm::LLVMContext context;
  llvm::Module module("lmc", context);
  if (emit) prepare_module(module, target);
  std::map<std::string, std::string> known;

  CodegenResult out;
  out.plan.target = target.name();
  out.plan.model = g.name;
  out.plan.context = options.context;
  out.plan.vocab = flat.graph.type(flat.graph.outputs()[0]).last();
  out.plan.rope_border = common_rope_border(flat.graph);
  out.plan.weights = shared.weights;
  out.plan.caches = shared.caches;
  out.plan.decode = emit_step(decode, emit ? &module : nullptr, target, options.time_attention, known);
  out.plan.prefill = emit_step(prefill, emit ? &module : nullptr, target, options.time_attention, known);
  out.packs = shared.packs;
  if (emit) {
    std::string problem;
    llvm::raw_string_ostream problem_stream(problem);
    if (llvm::verifyModule(module, &problem_stream)) throw Error("emitted LLVM IR is not valid: " + problem);
    out.kernels = known.size();
    const ObjectCache cache(options.want_llvm || options.want_assembly ? "" : options.cache_folder);
    const std::string key = ObjectCache::key(module, target);
    if (std::optional<std::string> object = cache.find(key)) {
      out.object = std::move(*object);
      out.from_cache = true;
      out.graph = std::move(flat.graph);
      return out;
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
  out.graph = std::move(flat.graph);
  return out;
}

}  // namespace

CodegenResult generate(const Graph& g, const CodegenOptions& options) { return run(g, options, true); }

CodegenResult plan_only(const Graph& g, const CodegenOptions& options) { return run(g, options, false); }

}  // namespace lmc
